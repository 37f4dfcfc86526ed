import assert from "node:assert/strict";
import { test } from "node:test";

import { simulate, type SimulationOptions } from "./simulation.ts";

const options: SimulationOptions = {
  nodes: 150,
  periods: 160,
  warmUp: 80,
  load: 0.5,
  seed: 7,
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

test("a simulation is the same for the same seed", () => {
  assert.deepEqual(simulate(options), simulate(options));
  assert.notDeepEqual(simulate({ ...options, seed: 8 }).deviation, simulate(options).deviation);
});
