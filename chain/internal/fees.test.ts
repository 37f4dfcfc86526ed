import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { bumpFees, suggestFees } from "./fees.ts";

test("a new transaction has room for the base fee to double, up to the cap", () => {
  assert.deepEqual(suggestFees(100n, 10n, 1000n), { maxFeePerGas: 210n, maxPriorityFeePerGas: 10n });
  assert.deepEqual(suggestFees(100n, 10n, 150n), { maxFeePerGas: 150n, maxPriorityFeePerGas: 10n });
  assert.throws(() => suggestFees(10n ** 10n, 10n ** 9n, 5n * 10n ** 9n), {
    code: "FEE_ABOVE_CAP",
    retryable: true,
    message: "The chain takes 11 gwei per gas now, more than the cap of 5 gwei; wait, or raise maxFeePerGas.",
  });
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
