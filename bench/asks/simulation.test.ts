import assert from "node:assert/strict";
import { test } from "node:test";

import { simulateAsks } from "./simulation.ts";

const small = { seed: 7, nodes: 20, rounds: 20, warmUp: 10, demand: 0.8 };

test("where all ask for their cost nothing is lost, and nobody earns above it", () => {
  const result = simulateAsks({ ...small, following: 0 });
  assert.deepEqual([result.leased, result.gain, result.others, result.changes], [1, 1, 0, 0]);
  assert.equal(result.paid, result.cost);
  assert.ok(result.clearing > result.paid);
});

test("who follows the clearing price earns, the others do not, and together they gain no more than before", () => {
  const result = simulateAsks({ ...small, following: 0.5 });
  assert.ok(result.followers > 0 && result.others === 0);
  assert.ok(result.gain < 1 && result.gain > 0.8, String(result.gain));
  assert.ok(result.paid > result.cost);
  assert.deepEqual(simulateAsks({ ...small, following: 0.5 }), result);
});
