import { createHash } from "node:crypto";

import type { PBLink } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";

import { RAW } from "./cids.ts";
import { decodeNode } from "./dag.ts";
import type { ReadBlock } from "./dag.ts";
import { CheckpointError } from "./errors.ts";

/** Honest content stays below 5. */
const MAX_DEPTH = 32;

/** A leaf of a DAG. */
export interface Leaf {
  cid: CID;
  /** Which link leads on from each block, from the root down; empty if the root is the leaf. */
  path: number[];
}

/** A holder's answer to a challenge, as JSON. */
export interface SpotProof {
  /** CID of the leaf. */
  leaf: string;
  path: number[];
  /** SHA-256 of the nonce's bytes and the leaf's, hex. */
  digest: string;
}

/**
 * The leaf that a nonce picks: both sides come to the same one, and nobody can tell before the nonce is known. Each
 * byte of the content is as likely as any other to be in it, as far as the sizes in the links are right.
 *
 * Reads the blocks from the root down to the leaf, but not the leaf itself unless it is of codec dag-pb.
 *
 * @param nonce - 16 to 64 bytes in hex
 * @throws {@link CheckpointError} `BAD_MESSAGE` if the nonce is none; `INVALID_DIRECTORY`; whatever `read` throws
 */
export async function pickLeaf(root: CID, nonce: string, read: ReadBlock): Promise<Leaf> {
  const seed = toNonce(nonce);
  let cid = root;
  for (const path: number[] = []; path.length <= MAX_DEPTH;) {
    const links = cid.code === RAW ? [] : decodeNode(cid, await read(cid)).Links;
    if (links.length === 0) return { cid, path };
    const index = pickLink(links, createHash("sha256").update(seed).update(cid.bytes).digest());
    path.push(index);
    const next = links[index];
    if (next === undefined) break;
    cid = next.Hash;
  }
  throw new CheckpointError("INVALID_DIRECTORY", `${root.toString()} is nested more than ${MAX_DEPTH} deep`);
}

/** What only somebody who has the leaf's bytes can say once the nonce is known. */
export function leafDigest(nonce: string, bytes: Uint8Array): string {
  return createHash("sha256").update(toNonce(nonce)).update(bytes).digest("hex");
}

/** Whether an answer has the shape of a proof; it comes from a stranger. */
export function isSpotProof(value: unknown): value is SpotProof {
  if (typeof value !== "object" || value === null) return false;
  const { leaf, path, digest } = value as Partial<Record<keyof SpotProof, unknown>>;
  const isPath =
    Array.isArray(path) && path.length <= MAX_DEPTH + 1 && path.every((each) => Number.isSafeInteger(each));
  return typeof leaf === "string" && leaf.length <= 128 && isPath && typeof digest === "string" && digest.length === 64;
}

/** Picks a link in proportion to the sizes of what is below; links without a size count as one byte. */
function pickLink(links: readonly PBLink[], random: Buffer): number {
  const sizes = links.map(({ Tsize }) => BigInt(Math.max(1, Tsize ?? 0)));
  const total = sizes.reduce((sum, size) => sum + size, 0n);
  // 256 bits against at most 64: the bias of the remainder is nothing
  let left = BigInt(`0x${random.toString("hex")}`) % total;
  for (const [index, size] of sizes.entries()) {
    if (left < size) return index;
    left -= size;
  }
  return links.length - 1;
}

function toNonce(nonce: string): Buffer {
  if (!/^(?:[0-9a-f]{2}){16,64}$/i.test(nonce)) {
    throw new CheckpointError(
      "BAD_MESSAGE",
      `"${nonce.slice(0, 140)}" is not a nonce: give 16 to 64 random bytes in hex`,
    );
  }
  return Buffer.from(nonce, "hex");
}
