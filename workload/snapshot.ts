import { constants } from "node:fs";
import { copyFile, type FileHandle, link, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { isSystemError, WorkloadError } from "./errors.ts";

/** Directories below one another that a workload may leave. */
const MAX_DEPTH = 64;

/** Opening never follows a link in the last place, and never waits for whoever is at the other end of a pipe. */
const UNFOLLOWED = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Puts the same tree of plain files elsewhere, by hard links where the file system allows them, while the program that
 * wrote it is still running, and may be a stranger's. Whatever that program puts in a place meanwhile, such as a link to
 * where the agent keeps its keys, nothing outside of the tree is read: each directory is opened once, without following
 * links, and its entries are reached through what was opened. That needs Linux; elsewhere a directory could still be
 * exchanged for a link between two looks at it. O(entries).
 *
 * @param from A file or a directory. The directory that it is in is not the program's to exchange.
 * @param to Where it goes; made, with what it is in.
 * @throws {@link WorkloadError} `OUTPUT_INVALID` if there is anything but files and directories, or too many of the
 *   latter below one another.
 */
export async function linkTree(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isFile()) {
    await mkdir(join(to, ".."), { recursive: true });
    await linkFile(from, to, from);
  } else await linkDirectory(from, to, from, 0);
}

/** @param shown What the entry is called in an error. */
async function linkDirectory(from: string, to: string, shown: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) throw refused(shown, `lies more than ${String(MAX_DEPTH)} directories deep`);
  await mkdir(to, { recursive: true });
  const directory = await openUnfollowed(from, constants.O_DIRECTORY ?? 0, shown);
  try {
    const here = process.platform === "linux" ? ofHandle(directory) : from;
    for (const entry of await readdir(here, { withFileTypes: true })) {
      const [source, target, name] = [join(here, entry.name), join(to, entry.name), join(shown, entry.name)];
      if (entry.isDirectory()) await linkDirectory(source, target, name, depth + 1);
      else await linkFile(source, target, name);
    }
  } finally {
    await directory.close();
  }
}

async function linkFile(source: string, target: string, shown: string): Promise<void> {
  try {
    // Links a link itself, not what it leads to.
    await link(source, target);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK"].some((code) => isSystemError(error, code))) throw error;
    await copyUnfollowed(source, target, shown);
    return;
  }
  // Looked at where the program cannot exchange it any more.
  if ((await lstat(target)).isFile()) return;
  await rm(target);
  throw refused(shown, "is neither a file nor a directory");
}

async function copyUnfollowed(source: string, target: string, shown: string): Promise<void> {
  const file = await openUnfollowed(source, 0, shown);
  try {
    if (!(await file.stat()).isFile()) throw refused(shown, "is neither a file nor a directory");
    await copyFile(process.platform === "linux" ? ofHandle(file) : source, target, constants.COPYFILE_FICLONE);
  } finally {
    await file.close();
  }
}

async function openUnfollowed(path: string, flags: number, shown: string): Promise<FileHandle> {
  try {
    return await open(path, UNFOLLOWED | flags);
  } catch (error) {
    // A link, a directory that is none any more, a socket.
    if (!["ELOOP", "ENOTDIR", "ENXIO"].some((code) => isSystemError(error, code))) throw error;
    throw refused(shown, "is neither a file nor a directory");
  }
}

/** A path to what is open, wherever its name leads by now (proc(5)). */
function ofHandle({ fd }: FileHandle): string {
  return `/proc/self/fd/${String(fd)}`;
}

function refused(shown: string, why: string): WorkloadError {
  return new WorkloadError("OUTPUT_INVALID", `${shown} ${why}; a workload may leave files, and directories of files.`);
}
