import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { seeded } from "../allocation/testing/rounds.ts";
import { averageLoad, redistribute } from "./load.ts";

test("average load, as published", () => {
  assert.equal(averageLoad([70, 30, 50]), 50);
  assert.equal(averageLoad([]), 0);
});

test("redistribution, as published", () => {
  assert.deepEqual(redistribute([70, 30, 50], 10).loads, [50, 50, 50]);
  assert.deepEqual(redistribute([70, 30, 50], 10).moves, [{ from: 0, to: 1, amount: 20 }]);
});

test("nodes within the band take no part", () => {
  assert.deepEqual(redistribute([60, 40, 50], 10), { loads: [60, 40, 50], moves: [] });
  assert.deepEqual(redistribute([], 10), { loads: [], moves: [] });
});

test("givers and takers come in their order, and one giver can serve several takers", () => {
  assert.deepEqual(redistribute([90, 20, 30, 60, 50], 5), {
    loads: [50, 50, 50, 50, 50],
    moves: [
      { from: 0, to: 1, amount: 30 },
      { from: 0, to: 2, amount: 10 },
      { from: 3, to: 2, amount: 10 },
    ],
  });
});

test("the sum stays, nobody crosses the average, nobody within the band is touched", () => {
  const loads = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(loads, fc.integer({ min: 0, max: 3000 }), (before, threshold) => {
      const average = averageLoad(before);
      const { loads: after, moves } = redistribute(before, threshold);
      const sum = (all: readonly number[]): number => all.reduce((total, load) => total + load, 0);
      assert.ok(Math.abs(sum(after) - sum(before)) < 1e-6);
      before.forEach((load, i) => {
        const now = after[i] ?? NaN;
        assert.equal(Math.sign(load - average) * Math.sign(now - average) >= 0, true);
        assert.ok(Math.abs(now - average) <= Math.abs(load - average));
        if (Math.abs(load - average) <= threshold) assert.equal(now, load);
      });
      for (const { amount } of moves) assert.ok(amount > 0);
      // Whatever is left outside the band is left on one side only.
      const above = after.filter((load) => load > average + threshold + 1e-6);
      const below = after.filter((load) => load < average - threshold - 1e-6);
      assert.ok(above.length === 0 || below.length === 0);
    }),
    seeded(300),
  );
});

test("impossible loads are refused", () => {
  assert.throws(() => averageLoad([NaN]), RangeError);
  assert.throws(() => averageLoad([-1]), RangeError);
  assert.throws(() => redistribute([1, 2], -1), RangeError);
});
