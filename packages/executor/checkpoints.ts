/**
 * Checkpoints in a unit's checkpoint directory: entries named `checkpoint-<9 digits>`, files or directories, complete
 * from the moment they bear that name, because they get it by an atomic rename. Anything else there is unfinished or not
 * a checkpoint, and ignored. A checkpoint is never written to again; the one with the highest number is the newest. A
 * checkpoint directory may hold `progress.json`, `{"progress": <0 … 1>}`.
 *
 * Read by agents and written by programs, so nothing here needs more than Node's permission model leaves a trainer.
 */
import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { MAX_CHECKPOINT_NUMBER } from "./checkpoint-number.ts";
import { isSystemError, WorkloadError } from "./errors.ts";
import { relativePathProblem } from "./paths.ts";

const NAME = /^checkpoint-(\d{9})$/;
const UNFINISHED = /^checkpoint-\d{9}\.(tmp|replaced)$/;
const PROGRESS_FILE = "progress.json";
/** File by which an agent that keeps the digests of checkpoints says which one it has taken note of last. */
export const NOTED_FILE = ".noted";
/** Checkpoints newer than the noted one that a program writes, and then waits for its agent. */
const MAX_UNNOTED = 8;
/** How long it waits, and from one look to the next, milliseconds. */
const [NOTED_WAIT_MS, NOTED_LOOK_MS] = [600_000, 20];
/** A longer progress file is not read, in bytes. */
const MAX_PROGRESS_BYTES = 4096;
const READ_UNFOLLOWED = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Names that are meant for a checkpoint's, such as checkpoint-500, ckpt_12 or checkpoint-000000042.pt. */
const MEANT = /^(?:checkpoints?|ckpt|chkpt)[-_. =]*(\d{1,18})(.*)$/i;
/** What has lain there for so long is no name on the way to another one, milliseconds. */
const SETTLED_MS = 5000;

/** A complete checkpoint. */
export interface Checkpoint {
  readonly number: number;
  /** Its file name. */
  readonly name: string;
  readonly path: string;
  /** How far the unit is, 0 … 1; undefined if the workload does not say so, or not in a way that makes sense. */
  readonly progress?: number;
}

/** Name of a checkpoint, such as `checkpoint-000000042`. */
export function checkpointName(number: number): string {
  if (!Number.isInteger(number) || number < 0 || number > MAX_CHECKPOINT_NUMBER) {
    throw new WorkloadError(
      "CHECKPOINT_INVALID",
      `A checkpoint cannot have the number ${number}: use whole numbers from 0 to ${MAX_CHECKPOINT_NUMBER}.`,
    );
  }
  return `checkpoint-${String(number).padStart(9, "0")}`;
}

/**
 * All complete checkpoints, newest first. Symbolic links are none: they could lead anywhere. A directory that is not
 * there holds none.
 */
export async function listCheckpoints(directory: string): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  for (const entry of await entriesOf(directory)) {
    const digits = NAME.exec(entry.name)?.[1];
    if (digits === undefined || !(entry.isDirectory() || entry.isFile())) continue;
    const path = join(directory, entry.name);
    const progress = entry.isDirectory() ? await readProgress(path) : undefined;
    found.push({ number: Number(digits), name: entry.name, path, ...(progress === undefined ? {} : { progress }) });
  }
  return found.sort((a, b) => b.number - a.number);
}

/** The newest complete checkpoint, or undefined if there is none. */
export async function newestCheckpoint(directory: string): Promise<Checkpoint | undefined> {
  return (await listCheckpoints(directory))[0];
}

/**
 * What in a checkpoint directory was meant to be a checkpoint and is none, with the name that it should have; undefined if
 * nothing is, or while it may still be renamed. What is older than the newest complete checkpoint is passed over. O(entries).
 *
 * @param newest Number of the newest complete checkpoint, if there is one.
 * @param now Milliseconds since 1970, as files' times are.
 */
export async function misnamedCheckpoint(
  directory: string,
  newest?: number,
  now = Date.now(),
): Promise<string | undefined> {
  const entries = await entriesOf(directory);
  let other: string | undefined;
  for (const { name, ...entry } of entries.map((each) => ({ name: each.name, link: each.isSymbolicLink() }))) {
    if (UNFINISHED.test(name) || name.startsWith(".")) continue;
    const digits = MEANT.exec(name)?.[1];
    const number = Number(digits ?? NaN);
    if (NAME.test(name) && !entry.link) continue;
    if (digits === undefined || !(number <= MAX_CHECKPOINT_NUMBER)) {
      if (await isSettled(join(directory, name), now)) other ??= name;
      continue;
    }
    if (newest !== undefined && number <= newest) continue;
    if (!(await isSettled(join(directory, name), now))) continue;
    const right = checkpointName(number);
    if (name === right) return `${name} is a link: rename the directory or file itself to ${right}`;
    return `${name} is not ${right}: name checkpoints "checkpoint-" and nine digits`;
  }
  if (newest !== undefined || other === undefined) return undefined;
  return `${other} is no checkpoint: name checkpoints "checkpoint-" and nine digits, such as ${checkpointName(42)}`;
}

async function isSettled(path: string, now: number): Promise<boolean> {
  return lstat(path).then(
    ({ mtimeMs }) => now - mtimeMs >= SETTLED_MS,
    () => false,
  );
}

/**
 * Deletes all but the newest checkpoints.
 *
 * @param keep How many stay. Two by default: the one before the newest is what a damaged newest falls back to.
 * @param upTo Number of the newest one that may be deleted; see {@link notedCheckpoint}.
 * @returns Names of those deleted.
 */
export async function pruneCheckpoints(directory: string, keep = 2, upTo = Infinity): Promise<string[]> {
  const old = (await listCheckpoints(directory)).slice(Math.max(1, keep)).filter(({ number }) => number <= upTo);
  for (const { path } of old) await rm(path, { recursive: true, force: true });
  return old.map(({ name }) => name);
}

/** Number of the newest checkpoint that the agent has taken note of; -1 if there is none. */
export async function notedCheckpoint(directory: string): Promise<number> {
  const text = await readFile(join(directory, NOTED_FILE), "utf8").catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return "";
    throw error;
  });
  return /^\d{1,9}\n$/.test(text) ? Number(text) : -1;
}

/**
 * Waits, before a program writes another checkpoint, while its agent has several to take note of. For programs whose
 * checkpoints follow `DRMP_CHECKPOINT_STEPS`; one that has been told to leave does not wait.
 *
 * @param leaving Whether it has been told to leave meanwhile.
 * @throws {@link WorkloadError} `CHECKPOINT_INVALID` if the agent takes note of none for ten minutes.
 */
export async function waitForNotes(directory: string, leaving: () => boolean, waitMs = NOTED_WAIT_MS): Promise<void> {
  let [noted, until] = [NaN, 0];
  while (!leaving()) {
    const now = await notedCheckpoint(directory);
    if (now !== noted) [noted, until] = [now, performance.now() + waitMs];
    const ahead = (await listCheckpoints(directory)).filter(({ number }) => number > now).length;
    if (ahead < MAX_UNNOTED) return;
    if (performance.now() > until) {
      throw new WorkloadError(
        "CHECKPOINT_INVALID",
        `The agent has taken note of no checkpoint for ${waitMs / 1000} s, and ${ahead} wait for it: see its log.`,
      );
    }
    await sleep(NOTED_LOOK_MS);
  }
}

/** Deletes what a killed writer left half-written. Only while no program writes into the directory. */
export async function removeUnfinished(directory: string): Promise<void> {
  for (const { name } of await entriesOf(directory)) {
    if (UNFINISHED.test(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * Writes a checkpoint directory that appears whole or not at all. Each file is on disk (O_SYNC; the permission model
 * takes fsync away) before the checkpoint gets its name. One of the same number is replaced.
 *
 * @param files Content by relative path.
 * @param progress 0 … 1, written to `progress.json`.
 * @throws {@link WorkloadError} `CHECKPOINT_INVALID`, or the file system's own error, such as `ENOSPC`.
 */
export async function writeCheckpointAtomically(
  directory: string,
  number: number,
  files: Readonly<Record<string, Uint8Array | string>>,
  progress: number,
): Promise<Checkpoint> {
  const name = checkpointName(number);
  if (!(progress >= 0 && progress <= 1)) {
    throw new WorkloadError("CHECKPOINT_INVALID", `Progress ${progress} is not in 0 … 1.`);
  }
  const path = join(directory, name);
  const temporary = `${path}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const [file, content] of Object.entries({ ...files, [PROGRESS_FILE]: JSON.stringify({ progress }) })) {
    const problem = relativePathProblem(file);
    if (problem !== undefined) throw new WorkloadError("CHECKPOINT_INVALID", `The file "${file}" ${problem}.`);
    await mkdir(dirname(join(temporary, file)), { recursive: true });
    await writeThrough(join(temporary, file), content);
  }
  if (await exists(path)) {
    // A directory cannot be renamed onto a full one. Killed in between, the checkpoint before this one is the newest.
    const replaced = `${path}.replaced`;
    await rm(replaced, { recursive: true, force: true });
    await rename(path, replaced);
    await rename(temporary, path);
    await rm(replaced, { recursive: true, force: true });
  } else {
    await rename(temporary, path);
  }
  return { number, name, path, progress };
}

/**
 * Writes a file that appears whole or not at all, and is on disk before it does.
 *
 * @throws The file system's own error, such as `ENOSPC`.
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeThrough(temporary, content);
  await rename(temporary, path);
}

async function writeThrough(path: string, content: Uint8Array | string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_SYNC ?? 0);
  const file = await open(path, flags, 0o644);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

/** A link, or a pipe that nobody writes to, is no progress file. */
async function readProgress(checkpoint: string): Promise<number | undefined> {
  try {
    const file = await open(join(checkpoint, PROGRESS_FILE), READ_UNFOLLOWED);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > MAX_PROGRESS_BYTES) return undefined;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_PROGRESS_BYTES), 0, MAX_PROGRESS_BYTES, 0);
      const value: unknown = JSON.parse(buffer.toString("utf8", 0, bytesRead));
      if (typeof value !== "object" || value === null || !("progress" in value)) return undefined;
      const { progress } = value;
      return typeof progress === "number" && progress >= 0 && progress <= 1 ? progress : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    // Missing, pruned or exchanged meanwhile, or not JSON: then the workload does not say how far it is.
    if (error instanceof SyntaxError) return undefined;
    if (["ENOENT", "ELOOP", "ENOTDIR", "ENXIO"].some((code) => isSystemError(error, code))) return undefined;
    throw error;
  }
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
