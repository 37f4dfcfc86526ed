/**
 * Files that the units of one task exchange, so that they train one model. A program writes its own into `out/` of
 * DRMP_EXCHANGE_DIR, by an atomic rename, and never writes to them again; what other units have published appears in `in/`,
 * whole, in a directory of the same name.
 *
 * - `delta-<9 digits>`: what a unit contributes to a round
 * - `record-<9 digits>`: who took part in a round, by unit 0
 * - `state-<9 digits>`: the state after a round, fetched by those alone who ask for it
 * - `want-<one of these names>`, in `out/` only: asks for what other units have under that name
 *
 * Read by agents and written by programs, so nothing here needs more than Node's permission model leaves a trainer.
 */
import { WorkloadError } from "./errors.ts";

/** What files are exchanged for; their places in this list are signed, and stay. */
export const EXCHANGE_KINDS = ["delta", "record", "state"] as const;
export type ExchangeKind = (typeof EXCHANGE_KINDS)[number];

/** Units of a task that may train one model: each has every other one's contribution. */
export const MAX_EXCHANGE_UNITS = 64;

/** Largest file that units may exchange, MiB. */
export const MAX_EXCHANGE_FILE_MIB = 64 * 1024;

/** Directories of DRMP_EXCHANGE_DIR. */
export const EXCHANGE_DIRECTORIES = ["in", "out"] as const;

/** File in `in/` that says that every other unit that can be reached was asked what it has. */
export const EXCHANGE_READY = "ready";

const MAX_ROUND = 999_999_999;
const NAME = /^(delta|record|state)-(\d{9})$/;
const WANT = "want-";
const HELD = /^(\d{1,8})\.(\d{1,8})\.([a-z0-9]{1,100})$/;

/** What a file's name says. */
export interface ExchangeName {
  readonly kind: ExchangeKind;
  readonly round: number;
}

/** What a name in `in/<name>/` says: which unit published it, under which fence, with which content. */
export interface HeldName {
  readonly unit: number;
  readonly fence: number;
  readonly cid: string;
}

/** A file's name, such as `delta-000000042`. */
export function exchangeName(kind: ExchangeKind, round: number): string {
  if (!Number.isInteger(round) || round < 0 || round > MAX_ROUND) {
    throw new WorkloadError("EXCHANGE_INVALID", `There is no round ${round}: rounds are 0 to ${MAX_ROUND}.`);
  }
  return `${kind}-${String(round).padStart(9, "0")}`;
}

/** The other way round; undefined if it is no such name. */
export function parseExchangeName(name: string): ExchangeName | undefined {
  const [, kind, digits] = NAME.exec(name) ?? [];
  return kind === undefined ? undefined : { kind: kind as ExchangeKind, round: Number(digits) };
}

/** The name by which a program asks for what others have. */
export function wantName(kind: ExchangeKind, round: number): string {
  return WANT + exchangeName(kind, round);
}

/** What a name asks for; undefined if it asks for nothing. */
export function parseWantName(name: string): ExchangeName | undefined {
  return name.startsWith(WANT) ? parseExchangeName(name.slice(WANT.length)) : undefined;
}

/** Name of another unit's file in `in/<name>/`. */
export function heldName({ unit, fence, cid }: HeldName): string {
  return `${String(unit)}.${String(fence)}.${cid}`;
}

/** The other way round; undefined if it is no such name, as of one that is still being written. */
export function parseHeldName(name: string): HeldName | undefined {
  const [, unit, fence, cid] = HELD.exec(name) ?? [];
  return cid === undefined ? undefined : { unit: Number(unit), fence: Number(fence), cid };
}
