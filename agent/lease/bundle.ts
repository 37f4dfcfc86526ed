import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type Checkpoint, listCheckpoints, misnamedCheckpoint } from "@verai/executor/checkpoints";
import type { UnitFolder } from "@verai/executor/executor";
import { isSystemError } from "@verai/executor/errors";
import { linkTree, type TreeBudget, treeBudget } from "@verai/executor/snapshot";
import { DONE_STEP } from "@verai/executor/trace/segment";
import { layDone, layState } from "@verai/executor/trace/state";
import { newestTraced } from "@verai/executor/trace/trace-file";
import { type Counted, isNewer, readCounted, unitBasis, WHOLE, writeCounted } from "./progress.ts";
import { tracePath } from "./tracing.ts";
import type { LeaseFolder } from "./workspace.ts";

/** Bytes of each unit's log that go along with a checkpoint, for its developer to read. */
const LOG_TAIL = 64 * 1024;

/** How often a checkpoint is looked for again because the one that was found has been deleted meanwhile. */
const NEWEST_TRIES = 20;

/** How far the units of a lease are. */
export interface Progress {
  /** Basis points of a unit, summed over the lease's units; see {@link unitBasis}. */
  readonly total: number;
  readonly unitsDone: number;
  /** Whether there is a checkpoint or an output that was not put together for posting yet. */
  readonly fresh: boolean;
  /** What the programs themselves say, summed likewise, what is done counting in full; left out where one says nothing. */
  readonly stated?: number;
  /** A name in a checkpoint directory that is nearly that of a checkpoint, and what it should be. */
  readonly misnamed?: string;
}

/** How far a lease is, from what is complete on disk; each unit by itself. O(units). */
export async function leaseProgress(folder: LeaseFolder, start: number, count: number): Promise<Progress> {
  const counted = await readCounted(folder.path);
  const units = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const before = counted.get(start + i);
      if (await folder.isDone(start + i)) return { basis: WHOLE, fresh: before?.basis !== WHOLE, stated: WHOLE };
      const unit = await folder.unit(start + i);
      const newest = await newestToPost(unit);
      const misnamed = await misnamedCheckpoint(unit.checkpoint, newest?.number);
      if (!newest) return { basis: 0, fresh: false, misnamed, stated: 0 };
      const stated = newest.progress === undefined ? NaN : Math.floor(newest.progress * WHOLE);
      return { basis: unitBasis(newest, before), fresh: isNewer(newest, before), misnamed, stated };
    }),
  );
  const stated = units.reduce((sum, unit) => sum + unit.stated, 0);
  const misnamed = units.find((unit) => unit.misnamed !== undefined)?.misnamed;
  return {
    total: units.reduce((sum, { basis }) => sum + basis, 0),
    unitsDone: units.filter(({ basis }) => basis === WHOLE).length,
    fresh: units.some(({ fresh }) => fresh),
    ...(stated > 0 && { stated }),
    ...(misnamed === undefined ? {} : { misnamed }),
  };
}

/** A unit's state in a checkpoint that is put together. */
export interface PostedUnit {
  readonly unit: number;
  /** Number of its checkpoint; {@link DONE_STEP} if it is done. */
  readonly step: number;
}

/** A checkpoint that was put together. */
export interface Bundle {
  readonly path: string;
  /** Basis points of a unit, summed. */
  readonly progress: number;
  readonly units: readonly PostedUnit[];
}

/**
 * Puts a lease's checkpoint together in a fresh directory: per unit its newest complete checkpoint or, when it is done,
 * its output and a marker, and the end of its log. Files are linked, not copied: a complete checkpoint is never written to
 * again. What is in `unit-<index>` is the unit's state and nothing else: its CID depends on no log, time or machine. `origin` names
 * the checkpoint that the lease went on from; without it, it began from the spec.
 *
 * @param reached Progress that the chain has of this lease: what is newer counts for more than that, as far as there is room.
 * @param maxBytes Bound on the length of all files together.
 * @param byTime What a unit counts for whose program does not say how far it is, basis points.
 * @returns The directory, the progress that it holds, and which states.
 * @throws `WorkloadError` `OUTPUT_INVALID` if a program has left what cannot be stored.
 */
export async function bundleCheckpoint(
  folder: LeaseFolder,
  start: number,
  count: number,
  reached = 0,
  maxBytes = Infinity,
  byTime = 0,
): Promise<Bundle> {
  const path = await folder.scratch("checkpoint");
  const origin = (await folder.record())?.origin;
  if (origin !== undefined) await writeFile(join(path, "origin"), `${origin}\n`);
  const before = await readCounted(folder.path);
  const counted = new Map<number, Counted>();
  const budget = treeBudget(maxBytes);
  const units: PostedUnit[] = [];
  let fresh = false;
  for (let index = start; index < start + count; index++) {
    const unit = await folder.unit(index);
    const target = join(path, `unit-${String(index)}`);
    await copyLogTail(unit.log, join(path, "logs", `unit-${String(index)}.log`));
    if (await folder.isDone(index)) {
      await layDone(unit.output, target, budget);
      units.push({ unit: index, step: DONE_STEP });
      fresh ||= before.get(index)?.basis !== WHOLE;
      counted.set(index, { number: before.get(index)?.number ?? 0, basis: WHOLE });
      continue;
    }
    const newest = await linkNewest(unit, target, budget);
    if (!newest) continue;
    units.push({ unit: index, step: newest.number });
    // Counted by the very checkpoint that was linked: a newer one may have appeared meanwhile.
    fresh ||= isNewer(newest, before.get(index));
    counted.set(index, { number: newest.number, basis: unitBasis(newest, before.get(index), byTime) });
  }
  if (fresh) raiseAbove(reached, counted);
  await writeCounted(folder.path, counted);
  return { path, progress: sumOf(counted), units };
}

/**
 * Links a unit's newest complete checkpoint into `target`, whole. Its program goes on meanwhile, and deletes what a newer
 * one has replaced: then the newer one is taken.
 *
 * @returns The checkpoint that was linked; undefined if there is none.
 */
async function linkNewest(unit: UnitFolder, target: string, budget: TreeBudget): Promise<Checkpoint | undefined> {
  let failure: Error | undefined;
  for (let tries = 1; tries <= NEWEST_TRIES; tries++) {
    const newest = await newestToPost(unit);
    if (!newest) return undefined;
    const left = { ...budget };
    const before = await changedAt(newest.path);
    failure = await layState(newest, target, left).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    // Of one that is being deleted, an entry or the whole may be missing.
    if (before !== undefined && (await changedAt(newest.path)) === before) {
      if (failure !== undefined) throw failure;
      Object.assign(budget, left);
      return newest;
    }
    await rm(target, { recursive: true, force: true });
  }
  throw (
    failure ??
    new Error(`Checkpoints in ${unit.checkpoint} are deleted faster than they can be linked; keep them longer.`)
  );
}

/** A unit's newest complete checkpoint; where digests are kept, the newest whose digest is. */
async function newestToPost(unit: UnitFolder): Promise<Checkpoint | undefined> {
  const upTo = (await newestTraced(tracePath(unit))) ?? Infinity;
  return (await listCheckpoints(unit.checkpoint)).find(({ number }) => number <= upTo);
}

/** When a checkpoint last gained or lost an entry, milliseconds since 1970; undefined if it no longer exists. */
async function changedAt(path: string): Promise<number | undefined> {
  return lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    (error: unknown) => {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    },
  );
}

/** Lets units count for more, as far as there is room, until they are above what the chain has of them. */
function raiseAbove(reached: number, counted: Map<number, Counted>): void {
  for (const [index, { number, basis }] of counted) {
    const missing = reached + 1 - sumOf(counted);
    if (missing <= 0) return;
    if (basis < WHOLE) counted.set(index, { number, basis: Math.min(WHOLE - 1, basis + missing) });
  }
}

function sumOf(counted: ReadonlyMap<number, Counted>): number {
  return [...counted.values()].reduce((sum, { basis }) => sum + basis, 0);
}

/** Puts a lease's result together: per unit its output. @param maxBytes Bound on the length of all files together. */
export async function bundleResult(
  folder: LeaseFolder,
  start: number,
  count: number,
  maxBytes = Infinity,
): Promise<string> {
  const path = await folder.scratch("result");
  const budget = treeBudget(maxBytes);
  for (let index = start; index < start + count; index++) {
    const unit = await folder.unit(index);
    await linkTree(unit.output, join(path, `unit-${String(index)}`), budget);
  }
  return path;
}

/**
 * Takes over from another lease's checkpoint what belongs to units [start, start + count).
 *
 * @param checkpoint A directory as {@link bundleCheckpoint} makes it; it may hold more units.
 * @returns Units for which there was something.
 */
export async function adoptCheckpoint(
  folder: LeaseFolder,
  start: number,
  count: number,
  checkpoint: string,
): Promise<number> {
  let adopted = 0;
  for (const name of await readdir(checkpoint)) {
    const index = /^unit-(\d+)$/.exec(name)?.[1];
    if (index === undefined || Number(index) < start || Number(index) >= start + count) continue;
    const unit = await folder.unit(Number(index));
    const entries = await readdir(join(checkpoint, name));
    if (entries.includes("checkpoint")) await adoptEntries(join(checkpoint, name, "checkpoint"), unit.checkpoint);
    if (entries.includes("done")) {
      await rm(unit.output, { recursive: true, force: true });
      await linkTree(join(checkpoint, name, "output"), unit.output);
      await folder.markDone(Number(index));
    }
    adopted += 1;
  }
  return adopted;
}

/** Links each entry under another name first: a checkpoint must appear whole or not at all, also here. */
async function adoptEntries(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from)) {
    const temporary = join(to, `${entry}.tmp`);
    await rm(temporary, { recursive: true, force: true });
    await linkTree(join(from, entry), temporary);
    await rm(join(to, entry), { recursive: true, force: true });
    await rename(temporary, join(to, entry));
  }
}

/** The last {@link LOG_TAIL} bytes of a log, copied: it is still being written to. Nothing where there is no log yet. */
async function copyLogTail(from: string, to: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(from, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, LOG_TAIL));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
