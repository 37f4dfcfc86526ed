import assert from "node:assert/strict";
import { test } from "node:test";

import { contradictions, type FrontierPoint, frontierPoint } from "./frontier.ts";
import { carbonMarket, withCarbonPrice } from "./market.ts";

const SEED = `0x${"1".padStart(64, "0")}`;

test("a higher carbon price buys less carbon at a higher cost, and serves the same units", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const market = carbonMarket({ nodes: 120, tasks: 12, load: 0.5, seed });
    const points = [0, 0.5, 1, 2, 5, 50].map((price) => frontierPoint(market, price, SEED));
    assert.deepEqual(contradictions(points), [], `seed ${seed}`);
    assert.ok(points.every(({ certified, served }) => certified && served === points[0]?.served));
    assert.ok((points.at(-1)?.carbon ?? Infinity) < 0.9 * (points[0]?.carbon ?? 0));
    assert.ok((points.at(-1)?.cost ?? 0) > (points[0]?.cost ?? Infinity));
  }
});

test("a contradiction is seen", () => {
  const point = { carbonPrice: 1, cost: 10, carbon: 5 } as FrontierPoint;
  assert.equal(contradictions([point, { ...point, carbonPrice: 2, carbon: 6 }]).length, 1);
  assert.equal(contradictions([point, { ...point, carbonPrice: 2, cost: 9 }]).length, 1);
});

test("the market is the same for the same seed, and its surcharges are price × carbon of a unit", () => {
  const size = { nodes: 50, tasks: 6, load: 0.5 };
  const market = carbonMarket({ ...size, seed: 3 });
  assert.deepEqual(carbonMarket({ ...size, seed: 3 }), market);
  assert.notDeepEqual(carbonMarket({ ...size, seed: 4 }), market);
  for (const { classes } of withCarbonPrice(market, 2, SEED).tasks) {
    for (const { classId, surcharge } of classes) {
      const kilograms = market.energy.get(classId)?.kilogramsPerUnit ?? 0;
      assert.ok(kilograms > 0 && Math.abs(surcharge - 2e6 * kilograms) <= 0.5);
    }
  }
});
