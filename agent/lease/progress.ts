import { join } from "node:path";

import { z } from "zod";

import { loadState, saveState, type StateKind } from "@verai/system/state-file";

/** Basis points of a unit: 10,000 is a unit that is done. */
export const WHOLE = 10_000;

/**
 * Highest progress that a program's own word counts for while its unit is not done, basis points. What is above is kept for
 * checkpoints that follow, each of which has to count for more than the one before.
 */
const STATED_MAX = 9_500;

/** What a unit's checkpoint counted for when it was last put together for posting. */
export interface Counted {
  /** Number of the checkpoint. */
  readonly number: number;
  /** Basis points. */
  readonly basis: number;
}

/** By unit index. */
export type CountedUnits = ReadonlyMap<number, Counted>;

/**
 * How far a unit that is not done is, in basis points: what its newest checkpoint says of itself, at most 9,500, and in any
 * case one more than the checkpoint that counted before. A checkpoint's number says which one is newer, and nothing else.
 * So progress grows with every newer checkpoint, whether the program says how far it is, repeats itself or says nothing,
 * and stays below a unit that is done: 9,999 checkpoints can follow one another under one lease. Pure.
 *
 * @param counted The checkpoint that counted before; undefined if there was none.
 * @param byTime What a checkpoint counts for that says nothing of itself, basis points; see {@link basisByTime}.
 */
export function unitBasis(
  newest: { readonly number: number; readonly progress?: number },
  counted: Counted | undefined,
  byTime = 0,
): number {
  const stated = Math.min(newest.progress === undefined ? byTime : Math.floor(newest.progress * WHOLE), STATED_MAX);
  const before = counted?.basis ?? 0;
  const least = isNewer(newest, counted) ? before + 1 : before;
  return Math.min(Math.max(stated, least, 1), WHOLE - 1);
}

/**
 * What a unit counts for whose program does not say how far it is: the part of the longest time for a unit that its lease
 * has lasted, basis points. The chain measures headway against that time, so such a program keeps its lease that long. Pure.
 *
 * @param elapsed Time since the lease was granted, seconds.
 * @param maxUnitTime Longest time that a unit of the task may take, seconds.
 */
export function basisByTime(elapsed: number, maxUnitTime: number): number {
  return Math.min(Math.max(Math.floor((WHOLE * elapsed) / maxUnitTime), 0), WHOLE);
}

/** What programs said of how far a lease is, and when: chain time, seconds, and basis points. */
interface Statement {
  readonly at: number;
  readonly stated: number;
}

/** How a lease got on while it was looked at. */
export interface Pace {
  /** The first statement that was seen to change; left out while none was. What was found at the beginning may be old. */
  readonly first?: Statement;
  readonly last: Statement;
}

/** Takes note of what a lease's programs say now. Pure. @param before Undefined at the first look. */
export function notePace(before: Pace | undefined, at: number, stated: number): Pace {
  const last = { at, stated };
  // Work that begins again has no pace yet.
  if (before === undefined || stated < before.last.stated) return { last };
  if (stated === before.last.stated) return before;
  return { first: before.first ?? last, last };
}

/**
 * When a lease's units would all be done if it went on as it did, chain time, seconds; undefined where too little was seen:
 * less than two changes, or less than so many seconds between them. Pure.
 */
export function endAtPace({ first, last }: Pace, units: number, seconds: number): number | undefined {
  if (first === undefined || last.at - first.at < Math.max(seconds, 1) || last.stated <= first.stated) return undefined;
  return last.at + ((units * WHOLE - last.stated) * (last.at - first.at)) / (last.stated - first.stated);
}

/** Whether a checkpoint came after the one that counted before. */
export function isNewer({ number }: { readonly number: number }, counted: Counted | undefined): boolean {
  return counted === undefined || number > counted.number;
}

const FILE = "counted.json";

const COUNTED = {
  what: "record of counted checkpoints",
  version: 1,
  schema: z.object({
    units: z.record(
      z.string().regex(/^\d{1,10}$/),
      z.object({ number: z.number().int().nonnegative(), basis: z.number().int().min(0).max(WHOLE) }),
    ),
  }),
} satisfies StateKind<z.ZodType>;

/**
 * What counted before, from a lease's folder. A file that is missing or damaged says nothing: then the newest checkpoints
 * count again, and on top of what the chain has.
 */
export async function readCounted(folder: string): Promise<CountedUnits> {
  const state = await loadState(join(folder, FILE), COUNTED);
  return new Map(Object.entries(state?.units ?? {}).map(([index, counted]) => [Number(index), counted]));
}

/** Notes durably what counts now. It appears whole or not at all. */
export async function writeCounted(folder: string, units: CountedUnits): Promise<void> {
  await saveState(join(folder, FILE), COUNTED, { units: Object.fromEntries(units) });
}
