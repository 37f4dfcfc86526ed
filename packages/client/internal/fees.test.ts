import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { BASE_FEE_FLOOR, bumpFees, suggestFees, TIP_FLOOR, tipCeiling } from "./fees.ts";

const GWEI = 10n ** 9n;

test("a new transaction has room for the base fee to double, up to the cap", () => {
  const tip = TIP_FLOOR;
  const base = GWEI;
  assert.deepEqual(suggestFees(base, tip, 10n * GWEI), { maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip });
  assert.deepEqual(suggestFees(base, tip, base + tip), { maxFeePerGas: base + tip, maxPriorityFeePerGas: tip });
  assert.throws(() => suggestFees(10n * GWEI, GWEI, 5n * GWEI), {
    code: "FEE_ABOVE_CAP",
    retryable: true,
    message: "The chain takes 10.001 gwei per gas now, more than the cap of 5 gwei; wait, or raise maxFeePerGas.",
  });
});

test("a node's word on the tip counts between a floor and a ceiling only", () => {
  const tip = (base: bigint, suggested: bigint | undefined, cap: bigint): bigint =>
    suggestFees(base, suggested, cap).maxPriorityFeePerGas;
  // 400 gwei suggested where the base fee is 1 gwei and the cap 1,000.
  assert.equal(tip(GWEI, 400n * GWEI, 1000n * GWEI), 2n * GWEI);
  assert.equal(tip(GWEI, GWEI, 1000n * GWEI), GWEI);
  // A base fee that is exaggerated as well does not carry it near the cap.
  assert.equal(tip(400n * GWEI, 400n * GWEI, 1000n * GWEI), 100n * GWEI);
  for (const none of [undefined, 0n]) assert.equal(tip(GWEI, none, 1000n * GWEI), TIP_FLOOR);
  // What the chain takes leaves less than the suggestion.
  assert.equal(tip(GWEI, GWEI, GWEI + TIP_FLOOR), TIP_FLOOR);
});

test("a base fee below the minimum of BASE is not believed, and a fixed tip is taken as it is", () => {
  assert.equal(suggestFees(0n, undefined, GWEI).maxFeePerGas, 2n * BASE_FEE_FLOOR + TIP_FLOOR);
  assert.deepEqual(suggestFees(GWEI, 7n, 100n * GWEI, 50n * GWEI), {
    maxFeePerGas: 52n * GWEI,
    maxPriorityFeePerGas: 50n * GWEI,
  });
});

test("whatever a node says, what is offered is valid and within the cap", () => {
  const fee = fc.bigInt({ min: 0n, max: 10n ** 13n });
  fc.assert(
    fc.property(fee, fc.option(fee, { nil: undefined }), fee, (base, suggested, cap) => {
      if (base + TIP_FLOOR > cap) return true;
      const { maxFeePerGas, maxPriorityFeePerGas } = suggestFees(base, suggested, cap);
      return (
        maxFeePerGas <= cap &&
        maxPriorityFeePerGas >= TIP_FLOOR &&
        maxPriorityFeePerGas <= tipCeiling(base, cap) &&
        maxFeePerGas >= base + maxPriorityFeePerGas
      );
    }),
  );
});

test("a replacement pays at least 12.5 % more, both ways, never above the cap", () => {
  const fee = fc.bigInt({ min: 0n, max: 10n ** 12n });
  fc.assert(
    fc.property(fee, fee, fee, fee, fee, (priority, room, nowPriority, nowRoom, over) => {
      const before = { maxFeePerGas: priority + room, maxPriorityFeePerGas: priority };
      const now = { maxFeePerGas: nowPriority + nowRoom, maxPriorityFeePerGas: nowPriority };
      const cap = now.maxFeePerGas + over;
      const bumped = bumpFees(before, now, cap);
      if (!bumped) return before.maxFeePerGas * 1125n > cap * 1000n || before.maxFeePerGas >= cap;
      return (
        bumped.maxFeePerGas <= cap &&
        bumped.maxPriorityFeePerGas <= bumped.maxFeePerGas &&
        bumped.maxFeePerGas * 1000n >= before.maxFeePerGas * 1125n &&
        bumped.maxPriorityFeePerGas * 1000n >= before.maxPriorityFeePerGas * 1125n &&
        bumped.maxFeePerGas > before.maxFeePerGas &&
        bumped.maxPriorityFeePerGas > before.maxPriorityFeePerGas
      );
    }),
  );
});

test("repeated replacement ends at the cap", () => {
  let fees = { maxFeePerGas: 1000n, maxPriorityFeePerGas: 1n };
  let rounds = 0;
  for (let more = bumpFees(fees, undefined, 2000n); more; more = bumpFees(fees, undefined, 2000n)) {
    fees = more;
    rounds += 1;
  }
  assert.equal(rounds, 5);
  assert.ok(fees.maxFeePerGas <= 2000n);
});
