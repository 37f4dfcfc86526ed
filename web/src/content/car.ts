import { CID } from "multiformats/cid";

import { type ReadBlock } from "@verai/checkpoint-store/dag";
import { readEntry, readFileContent } from "@verai/checkpoint-store/unixfs";

/** Bytes of a block at most, and blocks and files of what is shown. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;
const [MAX_BLOCKS, MAX_FILES, MAX_DEPTH] = [20_000, 2_000, 32];
/** A CIDv1 with codec raw or dag-pb and sha2-256. */
const CID_BYTES = 36;

/** A file of a result, whose every block was hashed here. */
export interface VerifiedFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Takes a CAR file apart, hashes every block in this browser, and reads the files below a root. A block that does not match its CID, or is
 * missing, is an error.
 */
export async function filesOfCar(car: Uint8Array, root: string): Promise<VerifiedFile[]> {
  const blocks = await blocksOfCar(car);
  const read: ReadBlock = (cid) => {
    const bytes = blocks.get(cid.toString());
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`The block ${cid.toString()} is missing.`));
  };
  const files: VerifiedFile[] = [];
  const queue = [{ cid: CID.parse(root), path: "", depth: 0 }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { cid, path, depth } = next;
    const entry = await readEntry(cid, read);
    if (entry.kind === "file") {
      const parts: Uint8Array[] = [];
      for await (const part of readFileContent(cid, read)) parts.push(part);
      files.push({ path: path === "" ? "result" : path, bytes: joined(parts) });
    } else if (depth < MAX_DEPTH) {
      for (const { name, cid: child } of entry.entries) {
        queue.push({ cid: child, path: path === "" ? name : `${path}/${name}`, depth: depth + 1 });
      }
    }
    if (files.length + queue.length > MAX_FILES)
      throw new Error(`The result has more than ${String(MAX_FILES)} files.`);
  }
  return files;
}

/** The blocks of a CARv1 file by their CIDs, each hashed. */
async function blocksOfCar(car: Uint8Array): Promise<Map<string, Uint8Array>> {
  const blocks = new Map<string, Uint8Array>();
  const header = varint(car, 0);
  let at = header.next + header.value;
  while (at < car.byteLength) {
    const { value: length, next } = varint(car, at);
    const [start, end] = [next + CID_BYTES, next + length];
    if (length < CID_BYTES || length > CID_BYTES + MAX_BLOCK_BYTES || end > car.byteLength) {
      throw new Error("The answer was cut off, or is no CAR file.");
    }
    const cid = CID.decode(car.subarray(next, start));
    const bytes = car.slice(start, end);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const { multihash } = cid;
    if (multihash.code !== 0x12 || multihash.digest.some((byte, i) => byte !== digest[i])) {
      throw new Error(`The block ${cid.toString()} does not match its CID: its sender is wrong or lies.`);
    }
    blocks.set(cid.toString(), bytes);
    if (blocks.size > MAX_BLOCKS) throw new Error(`The answer has more than ${String(MAX_BLOCKS)} blocks.`);
    at = end;
  }
  return blocks;
}

function varint(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let [value, factor] = [0, 1];
  for (let next = at; next < at + 6; next++) {
    const byte = bytes[next];
    if (byte === undefined) break;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: next + 1 };
    factor *= 0x80;
  }
  throw new Error("The answer was cut off, or is no CAR file.");
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
