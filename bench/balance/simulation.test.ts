import assert from "node:assert/strict";
import { test } from "node:test";

import { simulate, type SimulationOptions } from "./simulation.ts";

const options: SimulationOptions = {
  nodes: 150,
  periods: 160,
  warmUp: 80,
  load: 0.5,
  seed: 7,
  prices: 1,
  balance: true,
  threshold: 1000,
  hysteresis: 200,
  cooldown: 10,
  noise: 50,
};

test("balancing narrows the spread, in every random network, and hardly ever sends work back", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const [without, balanced] = [false, true].map((balance) => simulate({ ...options, seed: seed * 10, balance }));
    assert.ok(without && balanced);
    assert.equal(without.migrations, 0);
    assert.ok(balanced.migrations > 0);
    assert.ok(balanced.meanDeviation < 0.8 * without.meanDeviation, `seed ${seed}`);
    assert.ok(balanced.outside < without.outside);
    assert.ok(balanced.returns <= balanced.migrations / 50, `seed ${seed}: ${balanced.returns} returns`);
  }
});

test("where nodes ask different prices, no relief is bought at a higher price: the spread narrows less", () => {
  const [one, many] = [1, 8].map((prices) => simulate({ ...options, seed: 30, prices }));
  const without = simulate({ ...options, seed: 30, prices: 8, balance: false });
  assert.ok(one && many && many.migrations > 0 && many.migrations < one.migrations / 2);
  assert.ok(many.meanDeviation < without.meanDeviation && one.meanDeviation < 0.8 * many.meanDeviation);
  assert.ok(many.outside < without.outside);
});

test("a simulation is the same for the same seed", () => {
  assert.deepEqual(simulate(options), simulate(options));
  assert.notDeepEqual(simulate({ ...options, seed: 8 }).deviation, simulate(options).deviation);
});
