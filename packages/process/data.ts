import { join } from "node:path";

import { DataDirectory } from "@verai/system/data-directory";
import type { Logger } from "./logger.ts";

/**
 * Does something that has a data directory to itself: it is locked before anything in it is changed, and whatever the
 * process writes from then on is its user's alone.
 *
 * @param parts Path of the directory, put together of its parts.
 * @param work Gets a signal: the one given, which is also raised if the lock is lost.
 * @throws DataDirectoryError naming the process that has the directory.
 */
export async function withDirectory<T>(
  parts: readonly string[],
  logger: Logger,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  process.umask(0o077);
  const lost = new AbortController();
  const lock = await DataDirectory.lock(join(...parts), {
    log: logger,
    onLost: (error) => {
      logger.fatal({ err: error }, "stopping: the data directory is no longer this process's alone");
      lost.abort(error);
    },
  });
  try {
    return await work(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
  } finally {
    await lock.release();
  }
}
