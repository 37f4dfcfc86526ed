import assert from "node:assert/strict";
import { test } from "node:test";

import { gainOfMove, MoveBudget, pauseCost, spreadCost } from "./worth.ts";

const worth = { point: 0.006, hours: 0.5, transactions: 0.01, pause: 0.05 };

test("the next point costs its worth at the edge of the band, and in proportion to the distance", () => {
  const next = (points: number): number =>
    spreadCost(points * 100 + 1, 1000, 0.006) - spreadCost(points * 100, 1000, 0.006);
  assert.ok(Math.abs(100 * next(10) - 0.006) < 1e-5);
  assert.ok(Math.abs(100 * next(30) - 3 * 0.006) < 1e-5);
  assert.equal(spreadCost(-2000, 1000, 0.006), spreadCost(2000, 1000, 0.006));
  assert.ok(Number.isFinite(spreadCost(500, 0, 0.006)));
});

test("a move gains what both ends cost less while it lasts; past the average it costs", () => {
  const end = { distance: 3000, unitLoad: 1000 };
  // From 30 to 20 points: (900 − 400) × 0.006 ÷ 20 an hour, at both ends, for half an hour.
  assert.ok(Math.abs(gainOfMove([end, end], 1, 1000, worth) - 0.15) < 1e-12);
  assert.ok(gainOfMove([{ distance: 500, unitLoad: 1500 }], 1, 1000, worth) < 0);
  assert.equal(pauseCost(4, 2, worth), 0.4);
});

test("a budget grows with what is granted, saves up a quarter of its share, but always a whole lease, and starts full", () => {
  const budget = new MoveBudget(0.3);
  assert.equal(budget.after(0, 1000), 75);
  budget.spend(75);
  assert.equal(budget.after(0, 1000), 0);
  assert.equal(budget.after(100, 1000), 30);
  assert.equal(budget.after(5000, 1000), 75);
  const small = new MoveBudget(0.3);
  assert.equal(small.after(0, 8), 16);
  small.spend(16);
  assert.equal(small.after(8, 8), 2);
  assert.equal(new MoveBudget(0).after(10, 1000), 16);
});
