import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";

import { unixfs } from "@helia/unixfs";
import type { AddOptions } from "@helia/unixfs";
import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";

import { CheckpointError, systemErrorCode } from "./errors.ts";
import { encodeLargeFiles } from "./large-files.ts";
import { storedNameProblem, TREE_LIMITS } from "./tree-limits.ts";

encodeLargeFiles();

/** Where an import's blocks go. */
export type BlockSink = Pick<Blockstore, "get" | "put" | "has">;

/** The root of what was added. */
export interface Imported {
  cid: CID;
  /** Cumulative size of the blocks in bytes. */
  size: number;
}

/**
 * Kubo's profile unixfs-v1-2025: CIDv1, sha2-256, raw leaves, chunks of 1 MiB, balanced with 1,024 links, directories
 * sharded when their block would exceed 256 KiB. The profile must be named: Helia's default shards by another measure.
 * The concurrencies bound the memory to about 32 MiB; they have no influence on CIDs.
 */
const PROFILE = {
  profile: "unixfs-v1-2025",
  fileImportConcurrency: 4,
  blockWriteConcurrency: 8,
} satisfies Partial<AddOptions>;

const READ_BYTES = 1024 * 1024;
const ROOT = "root";
/** Bytes that a lease puts before the paths of what a program leaves, such as `unit-12/checkpoint/checkpoint-000000042/`. */
const STORED_AROUND_BYTES = 128;

type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** A file, or a directory without content. The path's parts are joined with "/". */
export type SourceEntry = { path: string } | { path: string; content: Content };

/** Imports one file or bytes. Name, mode and times are not part of the CID. */
export async function importFile(source: string | Content, sink: BlockSink): Promise<Imported> {
  if (typeof source !== "string") return importEntries([{ path: ROOT, content: source }], sink);
  const kind = await lstat(source).catch((error: unknown) => {
    throw unreadable(source, error);
  });
  if (!kind.isFile()) throw notPlain(source, "file");
  return importEntries([{ path: ROOT, content: readContent(source) }], sink);
}

/**
 * Imports a directory with all that is in it, in the order of names. Only names and contents count: modes and times are
 * not part of the CID.
 */
export async function importDirectory(path: string, sink: BlockSink): Promise<Imported> {
  const kind = await lstat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!kind.isDirectory()) throw notPlain(path, "directory");
  return importEntries(walk(path, ROOT, 0, { entries: 0 }), sink);
}

/** Imports entries that have one top-level name in common, in order of their paths. @returns the root below that name. */
export async function importEntries(
  source: Iterable<SourceEntry> | AsyncIterable<SourceEntry>,
  sink: BlockSink,
): Promise<Imported> {
  let root: Imported | undefined;
  for await (const { cid, size } of unixfs({ blockstore: sink }).addAll(source, PROFILE)) {
    root = { cid, size: Number(size) };
  }
  if (root === undefined) throw new Error("The importer returned no root");
  return root;
}

/** Refuses what {@link exportTo} could not restore. @param seen Entries so far, counted up. */
async function* walk(
  directory: string,
  path: string,
  depth: number,
  seen: { entries: number },
): AsyncGenerator<SourceEntry> {
  if (depth > TREE_LIMITS.storedDepth) {
    throw notRestorable(directory, `lies more than ${TREE_LIMITS.storedDepth} directories deep`);
  }
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(directory, error);
  });
  if (entries.length === 0) yield { path };
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const entry of entries) {
    const source = join(directory, entry.name);
    const problem = storedNameProblem(entry.name);
    if (problem !== undefined) throw new CheckpointError("INVALID_SOURCE", `${source} ${problem}`);
    const target = `${path}/${entry.name}`;
    if (Buffer.byteLength(target) > TREE_LIMITS.pathBytes + ROOT.length + STORED_AROUND_BYTES) {
      throw notRestorable(source, `has a path of more than ${TREE_LIMITS.pathBytes} bytes`);
    }
    if (++seen.entries > TREE_LIMITS.entries) {
      throw notRestorable(source, `is one entry too many: at most ${TREE_LIMITS.entries} can be stored together`);
    }
    if (entry.isDirectory()) yield* walk(source, target, depth + 1, seen);
    else if (entry.isFile()) yield { path: target, content: readContent(source) };
    else throw notPlain(source, "file or directory");
  }
}

/** Opens the file only when the importer gets to it. A symbolic link that has taken the file's place is refused. */
async function* readContent(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw systemErrorCode(error) === "ELOOP" ? notPlain(file, "file") : unreadable(file, error);
  });
  try {
    // directories of many small files would drown in streams with large buffers
    const isSmall = (await handle.stat()).size <= READ_BYTES;
    if (isSmall) yield await handle.readFile();
    else yield* handle.createReadStream({ highWaterMark: READ_BYTES, autoClose: false }) as AsyncIterable<Uint8Array>;
  } finally {
    await handle.close();
  }
}

function notRestorable(path: string, why: string): CheckpointError {
  return new CheckpointError("INVALID_SOURCE", `${path} ${why}, and could not be restored: make it flatter or smaller`);
}

function notPlain(path: string, wanted: string): CheckpointError {
  return new CheckpointError(
    "INVALID_SOURCE",
    `${path} is not a plain ${wanted} (symbolic links, sockets and devices are refused): put a plain ${wanted} in its place`,
  );
}

function unreadable(path: string, cause: unknown): CheckpointError {
  const code = systemErrorCode(cause) ?? "unknown error";
  return new CheckpointError(
    "INVALID_SOURCE",
    `Cannot read ${path} (${code}): check that it exists and who may read it`,
    {
      cause,
    },
  );
}
