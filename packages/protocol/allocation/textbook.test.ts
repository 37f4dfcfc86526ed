import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { planRound } from "./round-plan.ts";
import { lpSolver } from "./lp-solver.ts";
import { seeded } from "./testing/rounds.ts";
import { allocate, InsufficientCapacityError } from "./textbook.ts";

test("allocation, as published", () => {
  assert.deepEqual(allocate([10, 15, 20], [100, 80, 50], 150), [100, 50, 0]);
});

test("demand above capacity is a clear error", () => {
  assert.throws(
    () => allocate([10, 15, 20], [100, 80, 50], 231),
    (error) =>
      error instanceof InsufficientCapacityError && /demand of 231 is above the capacity of 230/.test(error.message),
  );
  assert.deepEqual(allocate([10, 15, 20], [100, 80, 50], 230), [100, 80, 50]);
  assert.throws(() => allocate([], [], 1), InsufficientCapacityError);
});

test("the order of the nodes does not matter, and equals are served in it", () => {
  assert.deepEqual(allocate([20, 10, 15], [50, 100, 80], 150), [0, 100, 50]);
  assert.deepEqual(allocate([5, 5, 5], [3, 3, 3], 4), [3, 1, 0]);
});

test("bad input is refused", () => {
  assert.throws(() => allocate([1], [1, 2], 1), /1 prices for 2 capacities/);
  assert.throws(() => allocate([NaN], [1], 1), /not all numbers/);
  assert.throws(() => allocate([1], [-1], 1), /-1 is neither/);
  assert.throws(() => allocate([1], [1], Infinity), /Infinity is neither/);
});

test("a round of one task and one class comes to the textbook's cost", () => {
  const offers = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(offers, fc.integer({ min: 1, max: 60 }), (all, wanted) => {
      const prices = all.map(([tick]) => tick);
      const capacities = all.map(([, units]) => units);
      const demand = Math.min(
        wanted,
        capacities.reduce((sum, each) => sum + each, 0),
      );
      const expected = allocate(prices, capacities, demand).reduce((sum, x, i) => sum + x * (prices[i] ?? 0), 0);
      const nodes = all.map(([tick, units], i) => ({
        id: i + 1,
        tick,
        units,
        position: all.slice(0, i).filter(([other]) => other === tick).length,
      }));
      const plan = planRound(
        {
          roundId: 1,
          seed: `0x${"ab".repeat(32)}`,
          tasks: [{ id: 1, units: demand, maxPrice: 1000, classes: [{ classId: 0, surcharge: 0 }] }],
          classes: [{ id: 0, tickSize: 1, nodes }],
        },
        lpSolver,
      );
      assert.equal(plan.kind === "plan" && plan.cost.microVer, BigInt(expected));
    }),
    seeded(200),
  );
});
