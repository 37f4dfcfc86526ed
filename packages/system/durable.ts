import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What file systems answer that cannot sync a directory; there is nothing to do about it. */
const CANNOT_SYNC = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EISDIR", "EPERM", "ENOSYS"]);

/** Names of files that {@link writeDurably} had not finished when its process ended. */
const DRAFT = /\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.tmp$/;

/** How a file is written. */
export interface WriteOptions {
  /** Permissions, whatever the process's umask; the owner's alone (0600) unless stated. */
  readonly mode?: number;
  /** Directory on the same file system for the file while it is written; the target's own unless stated. */
  readonly temporary?: string;
}

/**
 * Writes a file so that, whenever power or process end, either the old content is there or the new one, whole: a draft
 * beside it, synced, renamed, and the directory synced. Directories that are missing are made.
 *
 * @throws the system's error (ENOSPC, EACCES, EROFS…); the file is as it was then, and no draft is left.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const { mode = 0o600, temporary = dirname(path) } = options;
  const draft = join(temporary, `${basename(path)}.${randomUUID()}.tmp`);
  let made: string | undefined;
  try {
    let handle: FileHandle;
    try {
      handle = await open(draft, "wx", mode);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      made = await mkdir(dirname(path), { recursive: true });
      handle = await open(draft, "wx", mode);
    }
    try {
      if (options.mode !== undefined) await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
    // A directory that was made here is durable only once its parent is.
    for (let at = dirname(path); made !== undefined && at.length >= made.length; at = dirname(at)) {
      await syncDirectory(dirname(at));
    }
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes durable what was created, renamed or deleted in a directory. One that is gone by now is passed over. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || (code !== undefined && CANNOT_SYNC.has(code))) return;
    throw error;
  }
}

/**
 * Deletes the drafts that a crash left in a directory. Only for who has the directory to itself: a draft may be another
 * process's at work.
 *
 * @returns How many there were.
 */
export async function removeDrafts(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => DRAFT.test(name));
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
  return names.length;
}

/** The `code` of a system error (`ENOENT`…); undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
