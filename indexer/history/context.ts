import type { Row } from "../database/tables.ts";
import type { Changes } from "./changes.ts";
import type { Arguments, ChainEvent, Value } from "./events.ts";
import { PERIODS, type Period, startOf } from "./keys.ts";

/** What a reducer works with. */
export interface Context {
  readonly changes: Changes;
  readonly event: ChainEvent;
  readonly args: Arguments;
  /** Round that the transaction under way has settled, and how many leases it is still to grant. */
  readonly settled: { roundId: number; left: number };
}

/** Takes in one kind of event. */
export type Reducer = (context: Context) => void;

/** A whole number among the arguments. @throws RangeError if there is none of that name. */
export function num(args: Arguments, name: string): number {
  const value = args[name];
  if (typeof value !== "number" && typeof value !== "bigint") throw missing(args, name);
  return Number(value);
}

/** An amount of any size. */
export function big(args: Arguments, name: string): bigint {
  const value = args[name];
  if (typeof value !== "number" && typeof value !== "bigint") throw missing(args, name);
  return BigInt(value);
}

export function str(args: Arguments, name: string): string {
  const value = args[name];
  if (typeof value !== "string") throw missing(args, name);
  return value;
}

export function yes(args: Arguments, name: string): boolean {
  const value = args[name];
  if (typeof value !== "boolean") throw missing(args, name);
  return value;
}

export function list(args: Arguments, name: string): readonly Value[] {
  const value = args[name];
  if (!Array.isArray(value)) throw missing(args, name);
  return value as readonly Value[];
}

export function struct(args: Arguments, name: string): Arguments {
  const value = args[name];
  if (typeof value !== "object" || Array.isArray(value)) throw missing(args, name);
  return value as Arguments;
}

function missing(args: Arguments, name: string): RangeError {
  return new RangeError(
    `The event has no argument "${name}" of the expected kind, only ${Object.keys(args).join(", ")}.`,
  );
}

/** The task of an id, to change. */
export function task({ changes, event }: Context, id: number): Row<"tasks"> {
  return stamp(changes.row("tasks", { id }, id), event);
}

/** The lease of an id, to change. */
export function lease({ changes, event }: Context, id: number): Row<"leases"> {
  return stamp(changes.row("leases", { id }, id), event);
}

/** The node of an id, to change. */
export function node({ changes, event }: Context, id: number): Row<"nodes"> {
  return stamp(changes.row("nodes", { id }, id), event);
}

/** What a node did on the event's day, to change. */
export function nodeDay({ changes, event }: Context, nodeId: number): Row<"nodeDays"> {
  const start = startOf("day", event.time);
  return stamp(changes.row("nodeDays", { nodeId, start }, nodeId, start), event);
}

/** A keeper, to change. */
export function keeper({ changes, event }: Context, address: string): Row<"keepers"> {
  return stamp(changes.row("keepers", { address }, address), event);
}

/** Changes what the network did in the event's hour and day. */
export function network({ changes, event }: Context, change: (row: Row<"networkPeriods">) => void): void {
  for (const period of Object.keys(PERIODS) as Period[]) {
    const start = startOf(period, event.time);
    change(stamp(changes.row("networkPeriods", { period, start }, period, start), event));
  }
}

/** Marks a row as changed by the event. */
export function stamp<R extends { block: number; time: number }>(row: R, { block, time }: ChainEvent): R {
  row.block = block;
  row.time = time;
  return row;
}
