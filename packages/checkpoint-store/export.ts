import type { FileHandle } from "node:fs/promises";
import { lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { CID } from "multiformats/cid";

import { free } from "@verai/system/owned-bytes";

import { type ReadBlock, refuseAbove } from "./dag.ts";
import { CheckpointError, explainWriteError, systemErrorCode } from "./errors.ts";
import { forEachLimited, fsyncPath } from "./files.ts";
import { readEntry, readFileContent } from "./unixfs.ts";
import { TREE_LIMITS } from "./tree-limits.ts";

const FSYNC_CONCURRENCY = 8;
/** Bytes after which what was written so far is begun to be made durable, so that little is left at the end. */
const FLUSH_BYTES = 32 * 1024 * 1024;
/** Directories within directories, one for the file at the end, and the root. */
const MAX_PATH_DEPTH = TREE_LIMITS.storedDepth + 1;
/** The root is one more than what was counted. */
const MAX_ENTRIES = TREE_LIMITS.entries + 1;
/** Added to the destination's name while it is being written. */
const DRAFT_SUFFIX = ".fetching.tmp";

/**
 * Makes of what is stored what is written: of a name, and of a file's bytes as they come, in parts of any size. Each part is
 * being written while the next is made, and stays as it is meanwhile; then it is freed if it is marked as owned.
 */
export interface Decoder {
  readonly name: (stored: string) => string;
  readonly content: (stored: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

const AS_STORED: Decoder = { name: (stored) => stored, content: (stored) => stored };

/** How files are written. */
export interface ExportOptions {
  /** By default files are written as they are stored. */
  readonly decoder?: Decoder;
  /** Maximum bytes of all files as they are stored: what nobody has summed up before. Default: no bound. */
  readonly maxBytes?: number;
}

const inProgress = new Set<string>();

/**
 * Writes what a CID stands for to a path that does not exist yet (an empty directory will do): first beside it, made
 * durable, then renamed. What an earlier attempt left behind is removed. Files get mode 0644, directories 0755.
 *
 * @throws {@link CheckpointError} `DESTINATION_EXISTS`, `INVALID_DIRECTORY`, `TOO_LARGE`, `DISK_FULL`; whatever `read` and
 * `decoder` throw.
 */
export async function exportTo(
  root: CID,
  destination: string,
  read: ReadBlock,
  signal: AbortSignal,
  options: ExportOptions = {},
): Promise<void> {
  await refuseTaken(destination);
  if (inProgress.has(destination)) {
    throw new CheckpointError(
      "DESTINATION_EXISTS",
      `Something else is being fetched to ${destination}: wait for it, or choose another place`,
    );
  }
  inProgress.add(destination);
  const draft = destination + DRAFT_SUFFIX;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(destination), { recursive: true });
    const written = await writeTree(root, draft, read, signal, options);
    await forEachLimited(written, FSYNC_CONCURRENCY, fsyncPath);
    await rename(draft, destination);
    await fsyncPath(dirname(destination));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw explainWriteError(error, dirname(destination));
  } finally {
    inProgress.delete(destination);
  }
}

/** Refuses a destination early, before anything is fetched. @throws {@link CheckpointError} `DESTINATION_EXISTS` */
export async function refuseTaken(destination: string): Promise<void> {
  try {
    const present = await lstat(destination);
    if (present.isDirectory() && (await readdir(destination)).length === 0) return;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  throw new CheckpointError("DESTINATION_EXISTS", `${destination} exists already: remove it, or choose another place`);
}

/** @returns all paths written. */
async function writeTree(
  root: CID,
  path: string,
  read: ReadBlock,
  signal: AbortSignal,
  { decoder = AS_STORED, maxBytes = Infinity }: ExportOptions,
): Promise<string[]> {
  const written: string[] = [];
  let total = 0;
  const counted = async function* (stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of stored) {
      refuseAbove(root, (total += part.byteLength), maxBytes);
      yield part;
    }
  };
  const write = async (cid: CID, target: string, depth: number): Promise<void> => {
    signal.throwIfAborted();
    if (depth > MAX_PATH_DEPTH || written.length > MAX_ENTRIES) {
      throw new CheckpointError(
        "INVALID_DIRECTORY",
        `${root.toString()} has more than ${MAX_ENTRIES} entries, or directories nested more than ${MAX_PATH_DEPTH} deep: have a flatter one made`,
      );
    }
    const entry = await readEntry(cid, read);
    written.push(target);
    if (entry.kind === "file") {
      await writeContent(decoder.content(counted(readFileContent(cid, read))), target, signal);
      return;
    }
    await mkdir(target);
    for (const child of entry.entries) await write(child.cid, join(target, decoder.name(child.name)), depth + 1);
  };
  await write(root, path, 0);
  return written;
}

async function writeContent(content: AsyncIterable<Uint8Array>, target: string, signal: AbortSignal): Promise<void> {
  const handle = await open(target, "wx");
  let [length, unflushed] = [0, 0];
  // One part is written while the next is made.
  let writing = Promise.resolve();
  let flushing = Promise.resolve();
  try {
    for await (const chunk of content) {
      signal.throwIfAborted();
      const at = length;
      length += chunk.byteLength;
      await writing;
      // Blocks of zeros stay holes: a sparse file takes no more room here than where it came from.
      if (isZero(chunk)) continue;
      writing = writeAll(handle, chunk, at).then(() => {
        free(chunk);
      });
      writing.catch(() => undefined);
      unflushed += chunk.byteLength;
      if (unflushed < FLUSH_BYTES) continue;
      unflushed = 0;
      await flushing;
      flushing = handle.datasync();
      flushing.catch(() => undefined);
    }
    await writing;
    await flushing;
    await handle.truncate(length);
  } finally {
    await Promise.allSettled([writing, flushing]);
    await handle.close();
  }
}

/** A single write may take only part of the bytes. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let offset = 0;
  while (offset < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.byteLength - offset, position + offset);
    offset += bytesWritten;
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += ZEROS.byteLength) {
    const part = bytes.subarray(at, at + ZEROS.byteLength);
    if (Buffer.compare(part, ZEROS.subarray(0, part.byteLength)) !== 0) return false;
  }
  return true;
}
