import { ChainError } from "../errors.ts";
import { gwei } from "./format.ts";

/** What a transaction offers per gas, wei (EIP-1559). */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/**
 * Fees for a new transaction: room for the base fee to double, never above the cap.
 *
 * @param cap Hard cap of maxFeePerGas, wei.
 * @throws {@link ChainError} `FEE_ABOVE_CAP` if the chain already takes more than the cap.
 */
export function suggestFees(baseFee: bigint, priority: bigint, cap: bigint): Fees {
  if (baseFee + priority > cap) {
    throw new ChainError(
      "FEE_ABOVE_CAP",
      true,
      `The chain takes ${gwei(baseFee + priority)} per gas now, more than the cap of ${gwei(cap)}; wait, or raise maxFeePerGas.`,
      { details: { baseFee, priority, cap } },
    );
  }
  const room = 2n * baseFee + priority;
  return { maxFeePerGas: room < cap ? room : cap, maxPriorityFeePerGas: priority };
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
