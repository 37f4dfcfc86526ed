import assert from "node:assert/strict";
import { test } from "node:test";

import { halfWidth, mean } from "./accounting.ts";
import { WorkBook } from "./work.ts";
import { EPISODE, worldOf } from "./world.ts";

test("a world is its seed's: the same demand and seeds again, others for another", () => {
  assert.deepEqual(worldOf(7).demands, worldOf(7).demands);
  assert.notDeepEqual(worldOf(7).demands, worldOf(8).demands);
  assert.equal(worldOf(7).word(3), worldOf(7).word(3));
  assert.notEqual(worldOf(7).word(3), worldOf(7).word(4));
  assert.notEqual(worldOf(7).word(3), worldOf(8).word(3));
});

test("every world wants as much, in steps in which tasks come, in order", () => {
  const sums = [1, 2, 3, 4].map((seed) => worldOf(seed).demands.reduce((sum, { units }) => sum + units, 0));
  assert.equal(new Set(sums).size, 1);
  for (const seed of [1, 2, 3]) {
    const steps = worldOf(seed).demands.map(({ step }) => step);
    assert.deepEqual(
      steps,
      [...steps].sort((a, b) => a - b),
    );
    assert.ok(Math.max(...steps) < EPISODE.arrivals);
  }
});

test("a unit is computed once, no matter who goes on with it; what is lost is computed again", () => {
  const work = new WorkBook();
  assert.equal(work.compute(1, 0, 2, 6_000), 1.2);
  assert.ok(Math.abs(work.compute(1, 0, 2, 6_000) - 0.8) < 1e-9);
  assert.ok(work.complete(1, 0, 2));
  assert.equal(work.compute(1, 0, 2, 6_000), 0);
  assert.equal(work.progress(2, 0, 2), 0);
  work.lose(1, 1, 1);
  assert.equal(work.progress(1, 0, 2), 10_000);
  assert.ok(!work.complete(1, 0, 2));
});

test("the half width of a mean is Student's", () => {
  assert.equal(mean([1, 2, 3]), 2);
  assert.ok(Math.abs(halfWidth([1, 2, 3]) - 2.92 / Math.sqrt(3)) < 1e-9);
  assert.equal(halfWidth([4]), Infinity);
  assert.equal(halfWidth([4, 4, 4]), 0);
});
