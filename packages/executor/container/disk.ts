import type { Dirent } from "node:fs";
import { lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { TREE_LIMITS } from "@verai/checkpoint-store/tree-limits";
import { isSystemError } from "../errors.ts";

/** The system's word for a path that is longer than it takes. */
const TOO_DEEP = "ENAMETOOLONG";
/** What an entry takes at least, bytes: an empty file has no blocks, but an inode and a place in its directory. */
const ENTRY_BYTES = 1024;
/** Entries that a unit may leave: what could be stored of them. */
const MAX_ENTRIES = TREE_LIMITS.entries;
const MIB = 1024 * 1024;

/** What directories hold. */
export interface DiskUse {
  readonly bytes: number;
  /** Files, directories and anything else. */
  readonly entries: number;
}

/**
 * What directories take on disk. Stops counting once it is more than a bound. Never follows links. What lies so deep that
 * no path leads there counts as more than any bound: nobody could tell how much it is. O(entries).
 */
async function diskUse(directories: readonly string[], bound: DiskUse): Promise<DiskUse> {
  let [bytes, entries] = [0, 0];
  const open = [...directories];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const entry of await entriesOf(directory)) {
      const path = join(directory, entry.name);
      entries += 1;
      // Blocks, not length: a sparse file takes no more than it holds, and a small one takes a whole block.
      bytes += await lstat(path).then(
        ({ blocks }) => Math.max(ENTRY_BYTES, blocks * 512),
        (error: unknown) => (isSystemError(error, TOO_DEEP) ? Infinity : 0),
      );
      if (bytes > bound.bytes || entries > bound.entries) return { bytes, entries };
      if (entry.isDirectory()) open.push(path);
    }
  }
  return { bytes, entries };
}

/** Bytes that directories take on disk, as {@link diskUse} counts them. */
export async function usedBytes(directories: readonly string[], bound: number): Promise<number> {
  return (await diskUse(directories, { bytes: bound, entries: Infinity })).bytes;
}

/** In what way directories hold more than a unit may leave; undefined if they do not. @param diskMiB Bound on their bytes. */
export async function overDisk(directories: readonly string[], diskMiB: number): Promise<string | undefined> {
  const { bytes, entries } = await diskUse(directories, { bytes: diskMiB * MIB, entries: MAX_ENTRIES });
  if (bytes > diskMiB * MIB) return `more than the ${diskMiB} MiB of disk`;
  return entries > MAX_ENTRIES ? `more than ${MAX_ENTRIES} files` : undefined;
}

/** Gives a directory and everything below to a user: what root has restored, a program that is not root goes on from. */
export async function giveTo(directory: string, user: string): Promise<void> {
  const [uid = NaN, gid = NaN] = user.split(":").map(Number);
  await lchown(directory, uid, gid);
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await giveTo(path, user);
    else await lchown(path, uid, gid);
  }
}

/** What disappears meanwhile has no entries. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}
