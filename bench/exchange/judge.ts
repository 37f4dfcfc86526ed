import type { RoundRecord } from "@verai/executor/rounds";

/** What is promised of one model on four machines. */
export const GOALS = {
  /** Share of the undisturbed pace. */
  goodput: 0.88,
  /** Bytes, of those of an all-reduce at every step. */
  bytes: 1 / 50,
  /** By how much accuracy may be below that of one machine with the same samples. */
  accuracy: 0.005,
} as const;

/** A record, and when it was first seen. */
export interface SeenRecord {
  readonly record: RoundRecord;
  /** Milliseconds. */
  readonly at: number;
}

/** A run of the network. */
export interface Run {
  /** By round. */
  readonly records: readonly SeenRecord[];
  readonly kills: number;
  /** Bytes that all nodes together have fetched of what units exchanged. */
  readonly bytes: number;
  /** SHA-256 of each unit's weights, by unit. */
  readonly weights: readonly string[];
  readonly accuracy: number;
}

/** Local steps that entered the model, a second: from the first record to the last. */
export function pace({ records }: Pick<Run, "records">, every: number): number {
  const [first, last] = [records.at(0), records.at(-1)];
  if (!first || !last || last.at <= first.at) return NaN;
  const members = records.slice(1).reduce((sum, { record }) => sum + record.members.length, 0);
  return (members * every * 1000) / (last.at - first.at);
}

/**
 * Bytes that a ring all-reduce of all parameters at every step sends altogether: each of n workers 2(n − 1)/n of them.
 *
 * @param parameters Numbers of four bytes.
 */
export function allReduceBytes(parameters: number, workers: number, steps: number): number {
  return steps * 2 * (workers - 1) * 4 * parameters;
}

/** What came out, each beside its goal. */
export interface Findings {
  readonly goodput: number;
  readonly bytes: number;
  /** Accuracy of one machine less that of the units. */
  readonly lost: number;
  readonly equal: boolean;
  readonly replayed: boolean;
}

/** What is not as promised, in words. Pure. */
export function faultsOf({ goodput, bytes, lost, equal, replayed }: Findings): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const words: string[] = [];
  if (!(goodput >= GOALS.goodput)) words.push(`Goodput is ${percent(goodput)}, below ${percent(GOALS.goodput)}.`);
  if (!(bytes <= GOALS.bytes)) words.push(`1/${(1 / bytes).toFixed(1)} of an all-reduce's bytes, more than 1/50.`);
  if (!(lost <= GOALS.accuracy)) words.push(`Accuracy is ${(lost * 100).toFixed(2)} points lower, more than 0.5.`);
  if (!equal) words.push("The units' weights differ.");
  if (!replayed) words.push("An undisturbed run with the same records has other weights.");
  return words;
}
