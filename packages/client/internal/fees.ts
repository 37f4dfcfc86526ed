import { ChainError } from "../errors.ts";
import { gwei } from "./format.ts";

/** What a transaction offers per gas, wei (EIP-1559). */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Lowest tip that is offered, wei per gas: what nodes of BASE ask for at least. */
export const TIP_FLOOR = 1_000_000n;

/** Lowest base fee that is reckoned with, wei per gas: the minimum of BASE. A node that states less is not believed. */
export const BASE_FEE_FLOOR = 5_000_000n;

/** A suggested tip below this is taken whatever the base fee is, wei per gas. */
const MODEST_TIP = 10_000_000n;

/** A suggested tip is taken up to so many times the base fee. */
const TIP_PER_BASE_FEE = 2n;

/** Nor may a suggested tip be more than this share of the cap. A stuck transaction may go above it, step by step. */
const TIP_SHARE_OF_CAP = 10n;

/**
 * Highest tip that a node's suggestion is followed to, wei per gas. A tip is paid in full, unlike the room for the base
 * fee, so a suggestion alone must not bring it near the cap.
 *
 * @param cap Hard cap of maxFeePerGas, wei.
 */
export function tipCeiling(baseFee: bigint, cap: bigint): bigint {
  return max(min(cap / TIP_SHARE_OF_CAP, max(TIP_PER_BASE_FEE * baseFee, MODEST_TIP)), min(TIP_FLOOR, cap));
}

/**
 * Fees for a new transaction: room for the base fee to double, never above the cap, and a tip between floor and ceiling.
 *
 * @param baseFee Of the newest block, wei.
 * @param suggested Tip that the node suggests, wei; undefined if it suggests none.
 * @param cap Hard cap of maxFeePerGas, wei.
 * @param fixed Tip that the configuration states, wei; taken as it is.
 * @throws {@link ChainError} `FEE_ABOVE_CAP` if the chain already takes more than the cap.
 */
export function suggestFees(baseFee: bigint, suggested: bigint | undefined, cap: bigint, fixed?: bigint): Fees {
  const wanted = fixed ?? max(TIP_FLOOR, min(suggested ?? TIP_FLOOR, tipCeiling(baseFee, cap)));
  const least = fixed ?? min(TIP_FLOOR, wanted);
  if (baseFee + least > cap) {
    throw new ChainError(
      "FEE_ABOVE_CAP",
      true,
      `The chain takes ${gwei(baseFee + least)} per gas now, more than the cap of ${gwei(cap)}; wait, or raise maxFeePerGas.`,
      { details: { baseFee, priority: least, cap } },
    );
  }
  const priority = min(wanted, cap - baseFee);
  const room = 2n * max(baseFee, BASE_FEE_FLOOR) + priority;
  return { maxFeePerGas: min(room, cap), maxPriorityFeePerGas: priority };
}

/**
 * Fees that replace a waiting transaction: both at least 12.5 % above the ones before (what nodes ask for, with a
 * margin), and what the chain takes now if that is more.
 *
 * @param now What a new transaction would offer; undefined if unknown or above the cap.
 * @returns Undefined if the cap does not allow it.
 */
export function bumpFees(before: Fees, now: Fees | undefined, cap: bigint): Fees | undefined {
  const least = bump(before.maxFeePerGas);
  if (least > cap) return undefined;
  return {
    maxFeePerGas: max(least, now?.maxFeePerGas ?? 0n),
    maxPriorityFeePerGas: max(bump(before.maxPriorityFeePerGas), now?.maxPriorityFeePerGas ?? 0n),
  };
}

/** At least 12.5 % and at least 1 wei more. */
function bump(fee: bigint): bigint {
  return max((fee * 1125n + 999n) / 1000n, fee + 1n);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
