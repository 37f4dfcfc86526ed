import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import type { CID } from "multiformats/cid";

/** What a CARv1 file begins with: a header in DAG-CBOR that names its root. Pure. */
export function carHeader(root: CID): Uint8Array {
  // {"roots": [CID], "version": 1}, keys in their canonical order.
  const header = Buffer.concat([
    Buffer.from([0xa2, 0x65]),
    Buffer.from("roots"),
    Buffer.from([0x81, 0xd8, 0x2a, 0x58, root.bytes.byteLength + 1, 0x00]),
    root.bytes,
    Buffer.from([0x67]),
    Buffer.from("version"),
    Buffer.from([0x01]),
  ]);
  return Buffer.concat([varint(header.byteLength), header]);
}

/** What stands before each block: how long CID and block are together, and the CID. Pure. */
export function carEntry(cid: CID, bytes: number): Uint8Array {
  return Buffer.concat([varint(cid.bytes.byteLength + bytes), cid.bytes]);
}

/** An unsigned number, seven bits a byte, the lowest first (LEB128). */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A block of some content. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** Time without a byte being read of an answer, milliseconds. */
const STALLED_MS = 20_000;

/**
 * Answers with a CAR file, no faster than it is read. An answer that breaks off is ended, on this side or that: who reads it sees that it
 * is not whole.
 */
export async function sendCar(response: ServerResponse, root: CID, blocks: AsyncIterable<Block>): Promise<void> {
  response.setTimeout(STALLED_MS, () => response.destroy());
  response.writeHead(200, { "content-type": "application/vnd.ipld.car; version=1" });
  await pipeline(carOf(root, blocks), response).catch(() => undefined);
}

async function* carOf(root: CID, blocks: AsyncIterable<Block>): AsyncGenerator<Uint8Array> {
  yield carHeader(root);
  for await (const { cid, bytes } of blocks) {
    yield carEntry(cid, bytes.byteLength);
    yield bytes;
  }
}
