import assert from "node:assert/strict";
import { test } from "node:test";

import { ChainError } from "../errors.ts";
import { HourlyBudget } from "./budget.ts";

test("what is spent counts for an hour, and what may go beyond the budget is refused", () => {
  let now = 1_000_000;
  const budget = new HourlyBudget(100n, () => now);
  budget.require("a", 100n);
  budget.spend(60n);
  budget.require("b", 40n);
  assert.throws(
    () => {
      budget.require("c", 41n);
    },
    (error: ChainError) => error instanceof ChainError && error.code === "BUDGET_SPENT" && error.retryable,
  );
  now += 1_800_000;
  budget.spend(30n);
  assert.equal(budget.spent, 90n);
  now += 1_800_000;
  assert.equal(budget.spent, 30n);
  budget.require("d", 70n);
});
