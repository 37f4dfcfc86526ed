import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";

import { DrmpError } from "@verai/errors/drmp-error";

/** Multicodec codes that a CID on chain may have: raw bytes and dag-pb (UnixFS directories and large files). */
export const CODEC_RAW = 0x55;
export const CODEC_DAG_PB = 0x70;

const SHA2_256 = 0x12;

/** A CID as contracts keep it. */
export interface ChainCid {
  /** 32 bytes, hexadecimal. */
  readonly digest: string;
  /** Multicodec: {@link CODEC_RAW} or {@link CODEC_DAG_PB}. */
  readonly codec: number;
}

/** A CID that contracts cannot keep, or a digest that is none. */
export class CidError extends DrmpError {
  override readonly name = "CidError";

  constructor(message: string, options?: ErrorOptions) {
    super("CID_INVALID", message, options);
  }
}

/**
 * CID of a checkpoint's bytes as one raw block: CIDv1, raw, sha2-256. So CID = H(checkpoint) with H = SHA-256.
 *
 * A checkpoint that is stored as several blocks has its root's CID instead.
 */
export function checkpointCid(bytes: Uint8Array): CID {
  return CID.createV1(CODEC_RAW, createDigest(SHA2_256, sha256(bytes)));
}

/**
 * Digest and codec of a CID, as contracts keep them.
 *
 * @throws CidError if the text is no CID, or the CID is not version 1 with sha2-256 over raw bytes or dag-pb.
 */
export function toChainCid(cid: CID | string): ChainCid {
  const { version, code, multihash } = typeof cid === "string" ? parseCid(cid) : cid;
  if (version !== 1) throw new CidError(`${String(cid)} is a CIDv${version}: convert it to version 1.`);
  if (multihash.code !== SHA2_256 || multihash.digest.length !== 32) {
    throw new CidError(`${String(cid)} is not hashed with sha2-256: add the content again with that hash.`);
  }
  requireCodec(code);
  return { digest: `0x${bytesToHex(multihash.digest)}`, codec: code };
}

/**
 * The CID of a digest and codec kept on chain.
 *
 * @throws CidError if the digest has not 32 bytes or the codec is unknown.
 */
export function fromChainCid({ digest, codec }: ChainCid): CID {
  requireCodec(codec);
  if (!/^0x[0-9a-f]{64}$/i.test(digest)) throw new CidError(`${digest} is no digest: it has 32 bytes.`);
  return CID.createV1(codec, createDigest(SHA2_256, hexToBytes(digest.slice(2))));
}

function parseCid(text: string): CID {
  try {
    return CID.parse(text);
  } catch (cause) {
    throw new CidError(`"${text}" is no CID: it looks like bafkrei… or bafybei….`, { cause });
  }
}

function requireCodec(codec: number): void {
  if (codec === CODEC_RAW || codec === CODEC_DAG_PB) return;
  throw new CidError(`Codec 0x${codec.toString(16)} is not supported: use raw (0x55) or dag-pb (0x70).`);
}
