import assert from "node:assert/strict";
import { test } from "node:test";

import { scenario } from "./simulation.ts";
import { Scaler } from "./scaler.ts";
import { reversalsOf, simulate } from "./simulation.ts";

test("a spike: more nodes, the price comes back to their ask, fewer nodes, no flapping, nothing killed", () => {
  for (const seed of [1, 2, 3]) {
    const what = scenario(true, seed);
    const { steps, killed, reversals, expired } = simulate(what);
    const [from, to] = what.spike;
    const spike = steps.slice(from, to);
    const highest = Math.max(...spike.map(({ price }) => price));
    assert.ok(highest > 0.025, `seed ${seed}: the price shows the shortage: ${highest}`);
    assert.ok(Math.max(...steps.map(({ replicas }) => replicas)) >= 15, `seed ${seed}: scaled up`);
    const late = spike.slice(-10);
    assert.ok(
      late.every(({ price, unmet }) => price < 0.0125 && unmet === 0),
      `seed ${seed}: the price has come back`,
    );
    assert.ok((steps.at(-1)?.replicas ?? 99) < (steps[to]?.replicas ?? 0) - 10, `seed ${seed}: scaled down`);
    assert.deepEqual([reversals, killed, expired], [1, 0, 0], `seed ${seed}`);
  }
});

test("a grace that is shorter than the work kills it: the count is real", () => {
  assert.ok(simulate({ ...scenario(true, 1), graceSteps: 1 }).killed > 0);
});

test("capacity that costs more than it is worth is not added", () => {
  const dear = simulate({ ...scenario(true, 1), costTicks: 50, askTicks: 50 });
  assert.ok(Math.max(...dear.steps.map(({ replicas }) => replicas)) === 1);
  assert.ok(dear.expired > 0);
});

test("the autoscaler's rule: tolerance, at most doubling, windows", () => {
  const settings = { min: 1, max: 20, unitsPerNode: 8, upWindow: 1, downWindow: 3, upPeriod: 1, downPeriod: 1 };
  const scaler = new Scaler(settings);
  assert.equal(scaler.step(4, 34), 4, "within a tenth");
  assert.equal(scaler.step(4, 100), 8, "doubled, not more");
  assert.equal(scaler.step(8, 16), 8, "it was wanted a moment ago");
  assert.equal(scaler.step(8, 16), 8);
  assert.equal(scaler.step(8, 16), 7, "one at a time");
  assert.equal(new Scaler(settings).step(15, 1000), 20);
  assert.equal(reversalsOf([1, 2, 2, 3, 2, 2, 1]), 1);
  assert.equal(reversalsOf([1, 2, 1, 2]), 2);
});
