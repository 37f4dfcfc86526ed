import type { PBNode } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";

import { RAW } from "./cids.ts";
import { decodeNode } from "./dag.ts";
import type { ReadBlock } from "./dag.ts";
import { CheckpointError } from "./errors.ts";

/** Links of a file or shards of a directory deeper than this are refused; honest content stays below 5. */
const MAX_DEPTH = 32;

/** What a CID stands for: a file, or a directory with its entries. */
export type Entry = { kind: "file" } | { kind: "directory"; entries: DirectoryEntry[] };

/** One name in a directory. The name is safe to join to a path. */
export interface DirectoryEntry {
  name: string;
  cid: CID;
}

/**
 * Reads what a CID stands for.
 *
 * @throws {@link CheckpointError} `INVALID_DIRECTORY` for symbolic links and for names that are unsafe or occur twice.
 */
export async function readEntry(cid: CID, read: ReadBlock): Promise<Entry> {
  if (cid.code === RAW) return { kind: "file" };
  const { node, unixfs } = await readUnixFs(cid, read);
  if (unixfs.type === "file" || unixfs.type === "raw") return { kind: "file" };
  const entries: DirectoryEntry[] = [];
  const names = new Set<string>();
  for await (const entry of listDirectory(cid, node, unixfs, read, 0)) {
    refuseUnsafeName(cid, entry.name);
    if (names.has(entry.name)) throw invalid(cid, `has the name ${JSON.stringify(entry.name)} twice`);
    names.add(entry.name);
    entries.push(entry);
  }
  return { kind: "directory", entries };
}

/** Yields a file's bytes in order, in chunks as they are stored. */
export async function* readFileContent(cid: CID, read: ReadBlock, depth = 0): AsyncGenerator<Uint8Array> {
  if (cid.code === RAW) {
    yield await read(cid);
    return;
  }
  if (depth > MAX_DEPTH) throw invalid(cid, `is nested more than ${MAX_DEPTH} deep`);
  const { node, unixfs } = await readUnixFs(cid, read);
  if (unixfs.type !== "file" && unixfs.type !== "raw") throw invalid(cid, `is a ${unixfs.type} within a file`);
  if (unixfs.data !== undefined && unixfs.data.byteLength > 0) yield unixfs.data;
  for (const link of node.Links) yield* readFileContent(link.Hash, read, depth + 1);
}

async function* listDirectory(
  cid: CID,
  node: PBNode,
  unixfs: UnixFS,
  read: ReadBlock,
  depth: number,
): AsyncGenerator<DirectoryEntry> {
  if (unixfs.type === "directory" && depth === 0) {
    for (const link of node.Links) yield { name: link.Name ?? "", cid: link.Hash };
    return;
  }
  if (unixfs.type !== "hamt-sharded-directory") throw invalid(cid, `is a ${unixfs.type}`);
  if (depth > MAX_DEPTH) throw invalid(cid, `is nested more than ${MAX_DEPTH} deep`);
  // each link's name begins with its slot in hex; with nothing after it, it is a shard of the next level
  const width = ((unixfs.fanout ?? 256n) - 1n).toString(16).length;
  for (const link of node.Links) {
    const name = link.Name ?? "";
    if (name.length > width) {
      yield { name: name.slice(width), cid: link.Hash };
    } else {
      const shard = await readUnixFs(link.Hash, read);
      yield* listDirectory(link.Hash, shard.node, shard.unixfs, read, depth + 1);
    }
  }
}

async function readUnixFs(cid: CID, read: ReadBlock): Promise<{ node: PBNode; unixfs: UnixFS }> {
  if (cid.code === RAW) throw invalid(cid, "is plain bytes where a directory must be");
  const node = decodeNode(cid, await read(cid));
  try {
    return { node, unixfs: UnixFS.unmarshal(node.Data ?? new Uint8Array()) };
  } catch (error) {
    throw invalid(cid, "is no UnixFS node", error);
  }
}

function refuseUnsafeName(cid: CID, name: string): void {
  const unsafe =
    name === "" ||
    name === "." ||
    name === ".." ||
    /[/\\\0]/.test(name) ||
    new TextEncoder().encode(name).byteLength > 255;
  if (unsafe) throw invalid(cid, `has the unsafe name ${JSON.stringify(name)}`);
}

function invalid(cid: CID, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    "INVALID_DIRECTORY",
    `Block ${cid.toString()} ${what}: only plain files and directories are taken, its author must add the content again`,
    { cause },
  );
}
