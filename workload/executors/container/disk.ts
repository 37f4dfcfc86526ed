import type { Dirent } from "node:fs";
import { lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { isSystemError } from "../../errors.ts";

/** The system's word for a path that is longer than it takes. */
const TOO_DEEP = "ENAMETOOLONG";

/**
 * Bytes that directories take on disk. Stops counting once they are more than the bound. Never follows links. What lies so
 * deep that no path leads there counts as more than any bound: nobody could tell how much it is. O(files).
 */
export async function usedBytes(directories: readonly string[], bound: number): Promise<number> {
  let used = 0;
  const open = [...directories];
  for (let directory = open.pop(); directory !== undefined && used <= bound; directory = open.pop()) {
    for (const entry of await entriesOf(directory)) {
      const path = join(directory, entry.name);
      // Blocks, not length: a sparse file takes no more than it holds, and a small one takes a whole block.
      used += await lstat(path).then(
        ({ blocks }) => blocks * 512,
        (error: unknown) => (isSystemError(error, TOO_DEEP) ? Infinity : 0),
      );
      if (entry.isDirectory()) open.push(path);
    }
  }
  return used;
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
