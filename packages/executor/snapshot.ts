import { constants } from "node:fs";
import { copyFile, type FileHandle, link, lstat, mkdir, open, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";

import { storedNameProblem, TREE_LIMITS } from "@verai/checkpoint-store/tree-limits";
import { isSystemError, WorkloadError } from "./errors.ts";

/** Opening never follows a link in the last place, and never waits for the other end of a pipe. */
const UNFOLLOWED = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const DIRECTORY = constants.O_DIRECTORY ?? 0;
/** Links that one link may lead through. */
const MAX_HOPS = 16;

/** What several trees that are stored together may hold, counted down as they are taken. */
export interface TreeBudget {
  /** Files and directories. */
  entries: number;
  /** Bytes of files by their length: a sparse file counts in full, since it is read in full. */
  bytes: number;
}

/** A full budget. @param bytes Bound on the length of all files together; none unless stated. */
export function treeBudget(bytes = Infinity): TreeBudget {
  // A few are left for the directories that a lease puts around them.
  return { entries: TREE_LIMITS.entries - 1000, bytes };
}

/** A directory that is open, and the way to it. */
interface Level {
  /** Path by which its entries are reached: through the open directory, where the system can do that. */
  readonly here: string;
  readonly shown: string;
  /** Device and inode. */
  readonly identity: string;
}

interface Walk {
  readonly budget: TreeBudget;
  /** What to do with the tree; left out: it is only checked. */
  readonly to: string | undefined;
}

/** Where an entry comes from and goes to. */
interface Place {
  /** Open directories from the tree's root down to the one that the entry is in. */
  readonly levels: readonly Level[];
  /** Identities of the directories that the entry's copy is in: a link to one of them would never end. */
  readonly inside: readonly string[];
  /** Path of the entry's copy below the root. */
  readonly path: string;
  readonly depth: number;
}

/**
 * Puts the same tree of plain files elsewhere, by hard links where the file system allows them, while the program that
 * wrote it is still running, and may be a stranger's. Whatever that program puts in a place meanwhile, such as a link to
 * where the agent keeps its keys, nothing outside of the tree is read: each directory is opened once, without following
 * links, and its entries are reached through what was opened. That needs Linux; elsewhere a directory could still be
 * exchanged for a link between two looks at it.
 *
 * A symbolic link is taken for what it leads to if that lies inside of the tree: its copy is the file or directory itself.
 * One that is absolute, leads out of the tree, to nothing or to a directory that it lies in is refused. O(entries).
 *
 * @param from A file or a directory. The directory that it is in is not the program's to exchange.
 * @param to Where it goes; made, with what it is in.
 * @throws {@link WorkloadError} `OUTPUT_INVALID` if there is anything but files, directories and such links, or more than
 *   {@link TREE_LIMITS} or the budget allows.
 */
export async function linkTree(from: string, to: string, budget = treeBudget()): Promise<void> {
  await take(from, { budget, to });
}

/** Checks a tree as {@link linkTree} does, and leaves it where it is. O(entries). */
export async function checkTree(from: string, budget = treeBudget()): Promise<void> {
  await take(from, { budget, to: undefined });
}

async function take(from: string, walk: Walk): Promise<void> {
  const place: Place = { levels: [], inside: [], path: "", depth: 0 };
  if ((await lstat(from)).isFile()) {
    if (walk.to !== undefined) await mkdir(join(walk.to, ".."), { recursive: true });
    await takeFile(from, from, walk, place);
  } else await takeDirectory(from, from, walk, place);
}

/** @param shown What the entry is called in an error. */
async function takeDirectory(from: string, shown: string, walk: Walk, place: Place): Promise<void> {
  if (place.depth > TREE_LIMITS.programDepth) {
    throw refused(shown, `lies more than ${String(TREE_LIMITS.programDepth)} directories deep`);
  }
  spend(walk, shown, place, 0);
  if (walk.to !== undefined) await mkdir(join(walk.to, place.path), { recursive: true });
  const directory = await openUnfollowed(from, DIRECTORY, shown);
  try {
    const { dev, ino } = await directory.stat();
    const level = { here: pathOf(directory, from), shown, identity: `${String(dev)}:${String(ino)}` };
    if (place.inside.includes(level.identity)) throw refused(shown, "is a link to a directory that it lies in");
    const levels = [...place.levels, level];
    const inside = [...place.inside, level.identity];
    for (const entry of await readdir(level.here, { withFileTypes: true })) {
      const source = join(level.here, entry.name);
      const name = join(shown, entry.name);
      const problem = storedNameProblem(entry.name);
      if (problem !== undefined) throw refused(name, problem);
      const next = { levels, inside, path: join(place.path, entry.name), depth: place.depth + 1 };
      if (entry.isDirectory()) await takeDirectory(source, name, walk, next);
      else if (entry.isSymbolicLink()) await takeLink(entry.name, name, walk, next);
      else await takeFile(source, name, walk, next);
    }
  } finally {
    await directory.close();
  }
}

async function takeFile(source: string, shown: string, walk: Walk, place: Place): Promise<void> {
  if (walk.to === undefined) {
    const found = await lstat(source);
    if (!found.isFile()) throw refused(shown, "is neither a file nor a directory");
    spend(walk, shown, place, found.size);
    return;
  }
  const target = place.path === "" ? walk.to : join(walk.to, place.path);
  try {
    // Links a link itself, not what it leads to.
    await link(source, target);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK"].some((code) => isSystemError(error, code))) throw error;
    await copyUnfollowed(source, target, shown, walk, place);
    return;
  }
  // Looked at where the program can no longer exchange it.
  const found = await lstat(target);
  try {
    if (!found.isFile()) throw refused(shown, "is neither a file nor a directory");
    spend(walk, shown, place, found.size);
  } catch (error) {
    await rm(target);
    throw error;
  }
}

/** Takes what a link leads to, walking there one open directory after the other. */
async function takeLink(name: string, shown: string, walk: Walk, place: Place): Promise<void> {
  const opened: FileHandle[] = [];
  try {
    const end = await follow(place.levels, name, shown, opened, { hops: MAX_HOPS });
    const last = end.levels.at(-1);
    if (last === undefined) throw refused(shown, "leads out of its tree");
    if (end.name === undefined) {
      // A directory: the level itself, whose entries are taken again below this link's place.
      await takeDirectory(last.here, shown, walk, { ...place, levels: end.levels.slice(0, -1) });
    } else {
      await takeFile(join(last.here, end.name), shown, walk, place);
    }
  } finally {
    for (const handle of opened) await handle.close();
  }
}

/**
 * Where a link leads.
 *
 * @returns The open directories down to a file and its name, or down to a directory without a name.
 */
async function follow(
  levels: readonly Level[],
  name: string,
  shown: string,
  opened: FileHandle[],
  budget: { hops: number },
): Promise<{ levels: readonly Level[]; name: string | undefined }> {
  const at = levels.at(-1);
  if (at === undefined) throw refused(shown, "leads out of its tree");
  if (budget.hops-- <= 0) throw refused(shown, `leads through more than ${String(MAX_HOPS)} links`);
  const target = await readlink(join(at.here, name)).catch(() => {
    throw refused(shown, "is neither a file nor a directory");
  });
  if (target.startsWith("/")) throw refused(shown, `is an absolute link (${target}): make it a relative one`);
  let here = levels;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  for (const [index, part] of parts.entries()) {
    if (part === "..") {
      here = here.slice(0, -1);
      if (here.length === 0) throw refused(shown, `is a link that leads out of its tree (${target})`);
      continue;
    }
    const level = here.at(-1);
    if (level === undefined) throw refused(shown, `is a link that leads out of its tree (${target})`);
    const found = await lstat(join(level.here, part)).catch(() => {
      throw refused(shown, `is a link to something that does not exist (${target})`);
    });
    if (found.isSymbolicLink()) {
      const end = await follow(here, part, shown, opened, budget);
      if (end.name !== undefined) {
        if (index < parts.length - 1) throw refused(shown, `is a link to something that does not exist (${target})`);
        return end;
      }
      here = end.levels;
    } else if (found.isDirectory()) {
      const directory = await openUnfollowed(join(level.here, part), DIRECTORY, shown);
      opened.push(directory);
      const { dev, ino } = await directory.stat();
      here = [
        ...here,
        { here: pathOf(directory, join(level.here, part)), shown, identity: `${String(dev)}:${String(ino)}` },
      ];
    } else {
      if (index < parts.length - 1) throw refused(shown, `is a link to something that does not exist (${target})`);
      return { levels: here, name: part };
    }
  }
  return { levels: here, name: undefined };
}

async function copyUnfollowed(source: string, target: string, shown: string, walk: Walk, place: Place): Promise<void> {
  const file = await openUnfollowed(source, 0, shown);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw refused(shown, "is neither a file nor a directory");
    spend(walk, shown, place, found.size);
    await copyFile(pathOf(file, source), target, constants.COPYFILE_FICLONE);
  } finally {
    await file.close();
  }
}

function spend({ budget }: Walk, shown: string, { path }: Place, bytes: number): void {
  if (Buffer.byteLength(path) > TREE_LIMITS.pathBytes) {
    throw refused(shown, `has a path of more than ${String(TREE_LIMITS.pathBytes)} bytes: use shorter names`);
  }
  budget.entries -= 1;
  budget.bytes -= bytes;
  if (budget.entries < 0) {
    throw refused(shown, `is one entry too many: at most ${String(TREE_LIMITS.entries)} can be stored together`);
  }
  if (budget.bytes < 0) {
    throw refused(shown, "makes it larger than this node stores (a sparse file counts with its whole length)");
  }
}

async function openUnfollowed(path: string, flags: number, shown: string): Promise<FileHandle> {
  // A path through an open directory ends in that directory itself, which is no link of the program's.
  const own = /^\/proc\/self\/fd\/\d+$/.test(path);
  try {
    return await open(path, own ? (UNFOLLOWED & ~(constants.O_NOFOLLOW ?? 0)) | flags : UNFOLLOWED | flags);
  } catch (error) {
    // A link, a directory that no longer is one, a socket.
    if (!["ELOOP", "ENOTDIR", "ENXIO"].some((code) => isSystemError(error, code))) throw error;
    throw refused(shown, "is neither a file nor a directory");
  }
}

/** A path to what is open, wherever its name leads by now (proc(5)); its own path on systems without. */
function pathOf({ fd }: FileHandle, path: string): string {
  return process.platform === "linux" ? `/proc/self/fd/${String(fd)}` : path;
}

function refused(shown: string, why: string): WorkloadError {
  return new WorkloadError(
    "OUTPUT_INVALID",
    `${shown} ${why}; a workload may leave files, directories of files, and relative links that stay among them.`,
  );
}
