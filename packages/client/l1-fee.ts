import { getBytes } from "ethers";

/** What a chain on the OP stack reckons the L1 data fee of a transaction from. Fees in wei. */
export interface L1Prices {
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  /** Scalars as the chain's operator sets them, × 10^6. */
  readonly baseFeeScalar: bigint;
  readonly blobBaseFeeScalar: bigint;
}

/** What a signed transaction weighs on the L1. */
export interface L1Weight {
  /** Bytes of the signed transaction, and what FastLZ makes of them. */
  readonly bytes: number;
  readonly fastlz: number;
  /** Bytes that it is charged for: what it is likely to add to a compressed batch. */
  readonly estimated: number;
  /** Wei. */
  readonly fee: bigint;
}

/** Constants of the Fjord upgrade, × 10^6: docs.base.org, base-chain/specs/upgrades/fjord/exec-engine. */
const INTERCEPT = -42_585_600n;
const COEFFICIENT = 836_500n;
const LEAST = 100_000_000n;

/** The predeploy that holds what the L1 costs, and its slots since Ecotone. */
export const L1_BLOCK = "0x4200000000000000000000000000000000000015";

/** The L1 data fee of a signed, serialised transaction, as Fjord reckons it. O(bytes). */
export function l1Weight(signed: string, prices: L1Prices): L1Weight {
  const bytes = getBytes(signed);
  const fastlz = fastlzLength(bytes);
  const scaled = INTERCEPT + COEFFICIENT * BigInt(fastlz);
  const estimated = scaled < LEAST ? LEAST : scaled;
  const perByte = 16n * prices.baseFee * prices.baseFeeScalar + prices.blobBaseFee * prices.blobBaseFeeScalar;
  return { bytes: bytes.length, fastlz, estimated: Number(estimated) / 1e6, fee: (estimated * perByte) / 10n ** 12n };
}

/** Values of the slots of {@link L1_BLOCK} that make a chain charge these prices. */
export function l1Slots(prices: L1Prices): readonly (readonly [slot: bigint, value: bigint])[] {
  return [
    [1n, prices.baseFee],
    [3n, (prices.baseFeeScalar << 96n) | (prices.blobBaseFeeScalar << 64n)],
    [7n, prices.blobBaseFee],
  ];
}

const HASHES = 1 << 13;
const FARTHEST = HASHES - 1;
/** Bytes at the end in which no match may start. */
const TAIL = 13;

/**
 * Length of what FastLZ (level 1) compresses these bytes to. Fjord charges by it, so every byte counts: runs of literals
 * take a byte for each 32, matches two or three bytes, and only the last place of each hash is looked at. O(bytes).
 */
export function fastlzLength(bytes: Uint8Array): number {
  const places = new Uint32Array(HASHES);
  const limit = Math.max(0, bytes.length - TAIL);
  const three = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const slot = (word: number): number => (Math.imul(word, 0x9e3779b9) >>> 19) & (HASHES - 1);
  let length = 0;
  let literals = 0;
  let at = 2;
  while (at < limit) {
    const word = three(at);
    const hash = slot(word);
    const seen = places[hash] ?? 0;
    places[hash] = at;
    if (at - seen > FARTHEST || three(seen) !== word) {
      at += 1;
      continue;
    }
    length += literalsLength(at - literals);
    let same = 3;
    // A match may reach into the tail, but for its last four bytes.
    while (at + same < limit + 9 && bytes[seen + same] === bytes[at + same]) same += 1;
    // The byte at which it ends counts as well, unless the end came first.
    const match = at + same < limit + 9 ? same + 1 : same;
    length += matchLength(match - 3);
    at += match - 3;
    for (let i = 0; i < 2; i++, at++) places[slot(three(at))] = at;
    literals = at;
  }
  return length + literalsLength(bytes.length - literals);
}

function literalsLength(count: number): number {
  const rest = count % 32;
  return 33 * Math.floor(count / 32) + (rest === 0 ? 0 : rest + 1);
}

function matchLength(beyond: number): number {
  const long = beyond - 1;
  return 3 * Math.floor(long / 262) + (long % 262 >= 6 ? 3 : 2);
}
