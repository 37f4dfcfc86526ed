import { toHex } from "multiformats/bytes";
import { CID } from "multiformats/cid";

import { CheckpointError } from "./errors.ts";

/** Multicodec of a block of plain bytes. */
export const RAW = 0x55;
/** Multicodec of a block that links to others (UnixFS files above one chunk, directories). */
export const DAG_PB = 0x70;
/** Multihash code of SHA-256. */
export const SHA2_256 = 0x12;

/** Largest block that is taken, in bytes: gateways refuse more, and bitswap's server would hang on it. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/**
 * Name of a block in the store: its SHA-256 digest in lower-case hex, 64 characters. The codec is not part of it,
 * as the same bytes are one block whatever they mean.
 *
 * @returns undefined if the CID's hash is not SHA-256.
 */
export function blockName(cid: CID): string | undefined {
  if (cid.multihash.code !== SHA2_256 || cid.multihash.digest.byteLength !== 32) return undefined;
  return toHex(cid.multihash.digest);
}

/**
 * Takes a CID or its text.
 *
 * @throws {@link CheckpointError} `INVALID_CID` unless it is sha2-256 with codec raw or dag-pb.
 */
export function toCid(value: CID | string): CID {
  let cid: CID;
  try {
    cid = typeof value === "string" ? CID.parse(value) : value;
  } catch (error) {
    throw new CheckpointError("INVALID_CID", `"${String(value)}" is not a CID: give one such as bafybei… or bafkrei…`, {
      cause: error,
    });
  }
  if (blockName(cid) === undefined || (cid.code !== RAW && cid.code !== DAG_PB)) {
    throw new CheckpointError(
      "INVALID_CID",
      `CID ${cid.toString()} has codec 0x${cid.code.toString(16)} and hash 0x${cid.multihash.code.toString(16)}: ` +
        "only raw (0x55) or dag-pb (0x70) with sha2-256 (0x12) is handled; add the content again with ipfs add --cid-version 1",
    );
  }
  return cid;
}
