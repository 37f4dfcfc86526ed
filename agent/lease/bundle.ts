import { cp, type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { newestCheckpoint } from "../../workload/checkpoints.ts";
import { linkTree } from "../../workload/snapshot.ts";
import type { LeaseFolder } from "./workspace.ts";

/** Basis points of a unit: 10,000 is a unit that is done. */
const WHOLE = 10_000;

/** Bytes of each unit's log that go along with a checkpoint, for its developer to read. */
const LOG_TAIL = 64 * 1024;

/** How far the units of a lease are. */
export interface Progress {
  /** Basis points of a unit, summed over the lease's units. */
  readonly total: number;
  readonly unitsDone: number;
}

/** How far one unit is, in basis points: what its newest complete checkpoint says, all of it when it is done. */
export async function unitProgress(folder: LeaseFolder, index: number): Promise<number> {
  if (await folder.isDone(index)) return WHOLE;
  const { checkpoint } = await folder.unit(index);
  const newest = await newestCheckpoint(checkpoint);
  if (!newest) return 0;
  // A workload that does not say how far it is moves on by a basis point with each checkpoint.
  const progress = newest.progress === undefined ? newest.number + 1 : Math.floor(newest.progress * WHOLE);
  return Math.min(Math.max(progress, 1), WHOLE - 1);
}

/** How far a lease is, from what is complete on disk. O(units). */
export async function leaseProgress(folder: LeaseFolder, start: number, count: number): Promise<Progress> {
  const units = await Promise.all(Array.from({ length: count }, (_, i) => unitProgress(folder, start + i)));
  return {
    total: units.reduce((sum, each) => sum + each, 0),
    unitsDone: units.filter((each) => each === WHOLE).length,
  };
}

/**
 * Puts a lease's checkpoint together in a fresh directory: per unit its newest complete checkpoint or, when it is done,
 * its output and a marker, and the end of its log. Files are linked, not copied: a complete checkpoint is never written to
 * again.
 *
 * @returns The directory, and the progress that it holds.
 */
export async function bundleCheckpoint(
  folder: LeaseFolder,
  start: number,
  count: number,
): Promise<{ path: string; progress: number }> {
  const path = await folder.scratch("checkpoint");
  let progress = 0;
  for (let index = start; index < start + count; index++) {
    const unit = await folder.unit(index);
    const target = join(path, `unit-${String(index)}`);
    await copyLogTail(unit.log, join(path, "logs", `unit-${String(index)}.log`));
    if (await folder.isDone(index)) {
      await linkTree(unit.output, join(target, "output"));
      await writeFile(join(target, "done"), "");
      progress += WHOLE;
      continue;
    }
    const newest = await newestCheckpoint(unit.checkpoint);
    if (!newest) continue;
    await linkTree(newest.path, join(target, "checkpoint", newest.name));
    // Read again from the very checkpoint that was linked: a newer one may have appeared meanwhile.
    progress += newest.progress === undefined ? newest.number + 1 : Math.floor(newest.progress * WHOLE);
  }
  return { path, progress: Math.min(progress, count * WHOLE) };
}

/** Puts a lease's result together: per unit its output. */
export async function bundleResult(folder: LeaseFolder, start: number, count: number): Promise<string> {
  const path = await folder.scratch("result");
  for (let index = start; index < start + count; index++) {
    const unit = await folder.unit(index);
    await linkTree(unit.output, join(path, `unit-${String(index)}`));
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
      await cp(join(checkpoint, name, "output"), unit.output, { recursive: true, force: true });
      await folder.markDone(Number(index));
    }
    adopted += 1;
  }
  return adopted;
}

/** Copies each entry under another name first: a checkpoint must appear whole or not at all, also here. */
async function adoptEntries(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from)) {
    const temporary = join(to, `${entry}.tmp`);
    await rm(temporary, { recursive: true, force: true });
    await cp(join(from, entry), temporary, { recursive: true });
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
