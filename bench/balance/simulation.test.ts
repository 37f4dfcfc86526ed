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
  policy: "band",
  worth: { point: 0.006, hours: 1 / 6, transactions: 0.011, pause: 0.05 },
  movedShare: 0.3,
  unitPrice: 1,
  hours: 1 / 60,
  threshold: 1000,
  hysteresis: 200,
  cooldown: 10,
  noise: 50,
};

test("balancing narrows the spread, in every random network, and hardly ever sends work back", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const [without, balanced] = (["nothing", "band"] as const).map((policy) =>
      simulate({ ...options, seed: seed * 10, policy }),
    );
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
  const without = simulate({ ...options, seed: 30, prices: 8, policy: "nothing" });
  assert.ok(one && many && many.migrations > 0 && many.migrations < one.migrations / 2);
  assert.ok(many.meanDeviation < without.meanDeviation && one.meanDeviation < 0.8 * many.meanDeviation);
  assert.ok(many.outside < without.outside);
});

test("moving only what pays moves a third of it or less, and costs less in all than doing nothing or moving everything", () => {
  for (const load of [0.3, 0.7]) {
    const [nothing, band, worth] = (["nothing", "band", "worth"] as const).map((policy) =>
      simulate({ ...options, nodes: 300, load, policy }),
    );
    assert.ok(nothing && band && worth);
    const costs = [nothing, band, worth].map(({ spreadCost, moveCost }) => spreadCost + moveCost);
    assert.ok(worth.movedShare > 0 && worth.movedShare <= 0.33 && worth.movedShare < band.movedShare / 2);
    assert.ok(worth.meanDeviation < 0.9 * nothing.meanDeviation);
    assert.equal(Math.min(...costs), costs[2]);
    assert.equal(nothing.moveCost, 0);
  }
});

test("a simulation is the same for the same seed", () => {
  assert.deepEqual(simulate(options), simulate(options));
  assert.notDeepEqual(simulate({ ...options, seed: 8 }).deviation, simulate(options).deviation);
});
