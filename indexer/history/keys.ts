import { reportsOf } from "@verai/client/report";
import type { TableName } from "../database/tables.ts";
import type { ChainEvent } from "./events.ts";

/** Seconds of an hour and of a day. */
export const PERIODS = { hour: 3_600, day: 86_400 } as const;
export type Period = keyof typeof PERIODS;

/** When the hour or day of a time begins. */
export function startOf(period: Period, time: number): number {
  return time - (time % PERIODS[period]);
}

/** Which rows a stretch of events may change, as far as the events themselves name them. */
export interface Touched {
  readonly leases: ReadonlySet<number>;
  readonly tasks: ReadonlySet<number>;
  readonly nodes: ReadonlySet<number>;
  readonly classes: ReadonlySet<number>;
  readonly rounds: ReadonlySet<number>;
  readonly batches: ReadonlySet<number>;
  readonly keepers: ReadonlySet<string>;
  readonly requests: ReadonlySet<string>;
  readonly checkpoints: readonly (readonly [leaseId: number, sequence: number])[];
  readonly audits: readonly (readonly [leaseId: number, sequence: number])[];
  /** Beginnings of the hours and days. */
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  /** Leases that the stretch itself grants: the database has none of them. */
  readonly granted: ReadonlySet<number>;
}

/** Arguments that name an entity. */
const NAMES: Readonly<Record<string, "leases" | "tasks" | "nodes" | "classes" | "rounds" | "batches" | "keepers">> = {
  leaseId: "leases",
  orphanId: "leases",
  acceptedLease: "leases",
  taskId: "tasks",
  nodeId: "nodes",
  fromNode: "nodes",
  classId: "classes",
  roundId: "rounds",
  batchId: "batches",
  opener: "keepers",
  keeper: "keepers",
  by: "keepers",
  to: "keepers",
};

/** Events that change an audit that an earlier one has opened. */
const AUDITED = new Set(["VerifierDrawn", "AnswerCommitted", "TraceOpened", "PanelDrawn", "AuditEnded"]);

/** Rows that the events name. Pure; O(events). */
export function touchedBy(events: readonly ChainEvent[]): Touched {
  const sets = {
    leases: new Set<number>(),
    tasks: new Set<number>(),
    nodes: new Set<number>(),
    classes: new Set<number>(),
    rounds: new Set<number>(),
    batches: new Set<number>(),
    keepers: new Set<string>(),
    requests: new Set<string>(),
    hours: new Set<number>(),
    days: new Set<number>(),
    granted: new Set<number>(),
  };
  const checkpoints: [number, number][] = [];
  const audits: [number, number][] = [];
  for (const { name, time, args } of events) {
    sets.hours.add(startOf("hour", time));
    sets.days.add(startOf("day", time));
    for (const each in args) {
      const table = NAMES[each];
      if (table !== undefined) (sets[table] as Set<unknown>).add(args[each]);
    }
    const { reports } = args;
    if (name === "Reported" && typeof reports === "string")
      for (const { nodeId } of reportsOf(reports)) sets.nodes.add(nodeId);
    else if (name === "LeaseGranted") sets.granted.add(Number(args["leaseId"]));
    else if (name === "SeedStored") sets.requests.add(BigInt(args["requestId"] as bigint).toString());
    else if (name === "CheckpointReplicated" || name === "CheckpointsRolledBack")
      checkpoints.push([Number(args["leaseId"]), Number(args["sequence"])]);
    else if (AUDITED.has(name)) audits.push([Number(args["leaseId"]), Number(args["sequence"])]);
  }
  for (const id of sets.granted) sets.leases.delete(id);
  return { ...sets, checkpoints, audits };
}

/** Tables whose rows are found by the touched entities. */
export type Loadable = Exclude<TableName, "events" | "roundClasses">;
