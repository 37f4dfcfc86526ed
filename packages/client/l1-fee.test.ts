import assert from "node:assert/strict";
import { test } from "node:test";

import { hexlify } from "ethers";

import { fastlzLength, l1Slots, l1Weight } from "./l1-fee.ts";

const PRICES = { baseFee: 10n ** 9n, blobBaseFee: 10n ** 6n, baseFeeScalar: 2269n, blobBaseFeeScalar: 1_055_762n };

test("what does not compress takes a byte more for each 32", () => {
  // Too short for any match to start.
  assert.equal(fastlzLength(new Uint8Array(0)), 0);
  assert.equal(fastlzLength(Uint8Array.of(1, 2, 3)), 4);
  const distinct = Uint8Array.from({ length: 64 }, (_, i) => i);
  assert.equal(fastlzLength(distinct), 66);
});

test("runs and repetitions are matches of two or three bytes", () => {
  const zeros = fastlzLength(new Uint8Array(1_000));
  assert.ok(zeros < 40, String(zeros));
  const block = Uint8Array.from({ length: 100 }, (_, i) => (i * 7919) & 0xff);
  const once = fastlzLength(block);
  const twice = fastlzLength(Uint8Array.from([...block, ...block]));
  assert.ok(twice - once < 30, `${once} once, ${twice} twice`);
});

test("the fee is the formula's, with the least size at the bottom", () => {
  // As a simulated chain of this kind took it for a plain transfer: 100 bytes at these prices.
  assert.deepEqual(l1Weight(hexlify(new Uint8Array(20)), PRICES).fee, 3_735_976_200n);
  const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => (i * i * 31) >> 3);
  const { fastlz, estimated, fee } = l1Weight(hexlify(bytes), PRICES);
  assert.equal(estimated, (836_500 * fastlz - 42_585_600) / 1e6);
  assert.equal(fee, (BigInt(836_500 * fastlz - 42_585_600) * 37_359_762_000_000n) / 10n ** 12n);
});

test("the scalars share a slot", () => {
  assert.deepEqual(
    l1Slots(PRICES).map(([slot, value]) => [slot, value.toString(16)]),
    [
      [1n, "3b9aca00"],
      [3n, "8dd00101c120000000000000000"],
      [7n, "f4240"],
    ],
  );
});
