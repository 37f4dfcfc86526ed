import assert from "node:assert/strict";
import { test } from "node:test";

import { ChainError } from "../errors.ts";
import { HourlyBudget } from "./budget.ts";

const isSpent = (error: unknown): boolean =>
  error instanceof ChainError && error.code === "BUDGET_SPENT" && error.retryable;

test("what is spent counts for an hour, and what may go beyond the budget is refused", () => {
  let now = 1_000_000;
  const budget = new HourlyBudget(100n, [], () => now);
  budget.reserve(0, "a", 100n);
  budget.spend(0, 60n);
  budget.reserve(1, "b", 40n);
  budget.release(1);
  assert.throws(() => {
    budget.reserve(1, "c", 41n);
  }, isSpent);
  now += 1_800_000;
  budget.spend(1, 30n);
  assert.equal(budget.spent, 90n);
  now += 1_800_000;
  assert.equal(budget.spent, 30n);
  budget.reserve(2, "d", 70n);
});

test("a replacement counts by what it may cost more, and what is in flight counts until it is booked", () => {
  const budget = new HourlyBudget(100n, [], () => 0);
  budget.reserve(0, "first", 60n);
  budget.reserve(0, "replaced", 90n);
  assert.throws(() => {
    budget.reserve(0, "replaced again", 101n);
  }, isSpent);
  assert.throws(() => {
    budget.reserve(1, "another", 11n);
  }, isSpent);
  budget.reserve(1, "another", 10n);
  budget.spend(0, 20n);
  budget.reserve(2, "third", 70n);
});

test("what an earlier run spent and left in flight counts; a clock that was set back makes it no older than now", () => {
  let now = 500;
  const budget = new HourlyBudget(
    100n,
    [
      { ageMs: 3_000_000, wei: 50n },
      { ageMs: -9_000_000, wei: 30n },
    ],
    () => now,
  );
  assert.equal(budget.spent, 80n);
  budget.adopt(7, 500n);
  assert.throws(() => {
    budget.reserve(8, "new", 1n);
  }, isSpent);
  budget.release(7);
  now += 700_000;
  assert.equal(budget.spent, 30n);
  assert.deepEqual(budget.spendings(), [{ ageMs: 700_000, wei: 30n }]);
});

test("many small amounts are added up, and none of them is lost", () => {
  const budget = new HourlyBudget(10_000n, [], () => 0);
  for (let i = 0; i < 2000; i++) budget.spend(i, 1n);
  assert.equal(budget.spent, 2000n);
  assert.ok(budget.spendings().length <= 512);
});
