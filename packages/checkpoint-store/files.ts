import { open } from "node:fs/promises";
import { dirname } from "node:path";

import { writeDurably as write } from "@verai/system/durable";
import { explainWriteError, systemErrorCode } from "./errors.ts";

/** Makes a file or directory that was written durable. A path that is gone by now is passed over. */
export async function fsyncPath(path: string): Promise<void> {
  let handle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Calls `work` for each item, at most `limit` at a time; the first error ends it after what runs has settled. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const workers = Array.from({ length: limit }, async () => {
    for (let next = iterator.next(); next.done !== true && !failed; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const settled = await Promise.allSettled(workers);
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}

/**
 * Writes a small file so that it is either wholly there, on disk, or not at all.
 *
 * @param temporary - directory on the same file system for the file while it is written
 * @throws {@link CheckpointError} `DISK_FULL`, `DISK_FAILED`
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  temporary: string,
  mode = 0o600,
): Promise<void> {
  try {
    await write(path, content, { temporary, mode });
  } catch (error) {
    throw explainWriteError(error, dirname(path));
  }
}
