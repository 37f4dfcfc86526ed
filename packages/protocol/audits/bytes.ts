import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

/** A whole number, and how many bytes Solidity's packed encoding gives it. */
export type Packed = string | readonly [value: number | bigint, bytes: number];

/** A word of 32 bytes in hexadecimal that is zero. */
export const ZERO_WORD = `0x${"0".repeat(64)}`;

/**
 * keccak256(abi.encodePacked(…)) of words of 32 bytes in hexadecimal and numbers of the given sizes.
 *
 * @throws RangeError if a word has not 32 bytes, or a number does not fit.
 */
export function keccak(...parts: readonly Packed[]): string {
  const hex = parts.map((part) => (typeof part === "string" ? word(part) : number(part[0], part[1]))).join("");
  return `0x${bytesToHex(keccak_256(hexToBytes(hex)))}`;
}

function word(value: string): string {
  if (!/^0x[0-9a-f]{64}$/i.test(value)) throw new RangeError(`${value} is no word of 32 bytes in hexadecimal.`);
  return value.slice(2).toLowerCase();
}

function number(value: number | bigint, bytes: number): string {
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!whole || value < 0 || BigInt(value) >> BigInt(8 * bytes) !== 0n) {
    throw new RangeError(`${String(value)} is no whole number of ${String(bytes)} bytes.`);
  }
  return value.toString(16).padStart(2 * bytes, "0");
}
