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
