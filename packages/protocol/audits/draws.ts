import { keccak } from "./bytes.ts";

/*
 * What is drawn from the seed of an epoch of audits; the same as contracts/audits/AuditDraw.sol. Words are 32 bytes in
 * hexadecimal with 0x.
 */
const TAG_CANDIDATE = 1;
const TAG_UNIT = 2;
const TAG_PROBE = 3;
const BASIS = 10_000n;

/** Number of the question that round 0 of a panel answers; lower ones are those of the single verifiers. */
export const PANEL_QUESTION = 256;

/** The salt of a segment, which all its draws follow from. */
export function auditSalt(seed: string, leaseId: number, sequence: number): string {
  return keccak(seed, [leaseId, 4], [sequence, 4]);
}

/** Whether a segment is audited. @param chance - Probability, basis points. */
export function isDrawn(salt: string, chance: number): boolean {
  return (BigInt(salt) >> 128n) * BASIS < BigInt(chance) << 128n;
}

/**
 * Candidate `k` for the verification of a segment: a position of the holder pool, and the random number (0 to 2^128 − 1) by
 * which its node is accepted.
 *
 * @param positions - Positions of the pool when the epoch was opened, at least 1.
 */
export function verifierCandidate(salt: string, positions: number, k: number): { position: number; chance: bigint } {
  if (!Number.isInteger(positions) || positions < 1) throw new RangeError("A pool without positions has no verifiers.");
  const word = wordOf(salt, TAG_CANDIDATE, k);
  return { position: Number((word >> 128n) % BigInt(positions)), chance: word & ((1n << 128n) - 1n) };
}

/** Which of the units whose state changed in the segment is verified. @param units - Their number, at least 1. */
export function unitAt(salt: string, units: number): number {
  if (!Number.isInteger(units) || units < 1) throw new RangeError("A segment in which nothing changed has no unit.");
  return Number(wordOf(salt, TAG_UNIT, 0) % BigInt(units));
}

/**
 * Which leaf of the unit is asked for: one of the last quarter of those before the end; the end itself if there is no other.
 *
 * @param question - Number of the question: each has a leaf of its own.
 * @param count - Leaves of the unit, at least 1.
 */
export function probeAt(salt: string, question: number, count: number): number {
  if (!Number.isInteger(count) || count < 1) throw new RangeError("A unit without leaves has no probe.");
  if (count === 1) return 0;
  const late = BigInt(Math.floor((count + 2) / 4));
  return count - 2 - Number(wordOf(salt, TAG_PROBE, question) % late);
}

function wordOf(salt: string, tag: number, number: number): bigint {
  return BigInt(keccak(salt, [tag, 1], [number, 2]));
}
