import { type FileHandle, lstat, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";

import { free } from "@verai/system/owned-bytes";
import { WorkloadError } from "../errors.ts";
import { type Seal, SEGMENT_BYTES } from "./seal.ts";

/** Bytes of a sealed segment: one block of the checkpoint store. */
const SEALED_BYTES = 1024 * 1024;

/** A file's segments are sealed one by one, each for its place, so that none can be moved, left out or added. */
function place(index: number, isLast: boolean): string {
  return `segment ${String(index)}${isLast ? ", the last" : ""}`;
}

/**
 * Seals a file, or a directory with all that is in it, names included; links and the like are refused. Nothing may change meanwhile.
 *
 * @param to Does not exist yet
 */
export async function sealTree(from: string, to: string, seal: Seal): Promise<void> {
  await walk(
    from,
    to,
    (name) => seal.closeName(name),
    (source, target) =>
      recode(source, target, SEGMENT_BYTES, (bytes, index, isLast) => seal.close(bytes, place(index, isLast))),
  );
}

/** Opens what {@link sealTree} made. @throws WorkloadError `SEAL_BROKEN` if key and content do not fit */
export async function openTree(from: string, to: string, seal: Seal): Promise<void> {
  await walk(
    from,
    to,
    (name) => seal.openName(name),
    (source, target) =>
      recode(source, target, SEALED_BYTES, (bytes, index, isLast) => seal.open(bytes, place(index, isLast))),
  );
}

/**
 * The same for what is fetched, as it comes: nothing that is sealed is written, and nothing is written twice. Its functions throw as
 * {@link openTree} does. Holds two segments of a file in memory.
 */
export function decoderOf(seal: Seal): {
  readonly name: (sealed: string) => string;
  readonly content: (sealed: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
} {
  return { name: (sealed) => seal.openName(sealed), content: (sealed) => openContent(sealed, seal) };
}

/** Which segment is the last shows when nothing comes after it. */
async function* openContent(sealed: AsyncIterable<Uint8Array>, seal: Seal): AsyncGenerator<Uint8Array> {
  let index = 0;
  let before: Uint8Array | undefined;
  for await (const segment of segmentsOf(sealed)) {
    if (before !== undefined) {
      const plain = seal.open(before, place(index++, false));
      free(before);
      yield plain;
    }
    before = segment;
  }
  yield seal.open(before ?? new Uint8Array(), place(index, true));
}

/** The same bytes in parts of a sealed segment, the last one shorter. */
async function* segmentsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    let rest = chunk;
    while (length + rest.byteLength >= SEALED_BYTES) {
      const cut = SEALED_BYTES - length;
      // Blocks of the store are segments as they are.
      yield length === 0 ? rest.subarray(0, cut) : Buffer.concat([...held, rest.subarray(0, cut)]);
      rest = rest.subarray(cut);
      [held, length] = [[], 0];
    }
    if (rest.byteLength > 0) {
      held.push(rest);
      length += rest.byteLength;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}

async function walk(
  from: string,
  to: string,
  rename: (name: string) => string,
  copy: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const found = await lstat(from);
  if (found.isFile()) return copy(from, to);
  if (!found.isDirectory()) {
    throw new WorkloadError("OUTPUT_INVALID", `${from} is neither a file nor a directory: remove it.`);
  }
  await mkdir(to);
  for (const name of await readdir(from)) await walk(join(from, name), join(to, rename(name)), rename, copy);
}

/** Copies a file part by part. An empty file has one part. */
async function recode(
  from: string,
  to: string,
  partBytes: number,
  change: (bytes: Uint8Array, index: number, isLast: boolean) => Uint8Array,
): Promise<void> {
  const source = await open(from, "r");
  try {
    const target = await open(to, "wx", 0o600);
    try {
      const { size } = await source.stat();
      const parts = Math.max(1, Math.ceil(size / partBytes));
      const buffer = Buffer.allocUnsafe(partBytes);
      for (let index = 0; index < parts; index++) {
        const length = Math.min(partBytes, size - index * partBytes);
        await readFully(source, buffer, length, from);
        await target.writeFile(change(buffer.subarray(0, length), index, index === parts - 1));
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function readFully(file: FileHandle, buffer: Buffer, length: number, name: string): Promise<void> {
  for (let got = 0; got < length;) {
    const { bytesRead } = await file.read(buffer, got, length - got);
    if (bytesRead === 0) throw new WorkloadError("OUTPUT_INVALID", `${name} became shorter while it was read.`);
    got += bytesRead;
  }
}
