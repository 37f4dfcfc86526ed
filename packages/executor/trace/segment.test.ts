import assert from "node:assert/strict";
import { test } from "node:test";

import { DONE_STEP, segmentLeaves } from "./segment.ts";

const entry = (step: number) => ({ step, digest: `0x${String(step).padStart(64, "0")}` });
const trace = [37, 50, 100, 120, 150, 200, 230].map(entry);
const stepsOf = (from: number, to: number, entries = trace) => {
  const found = segmentLeaves(entries, { from, every: 50, end: entry(to) });
  return "leaves" in found ? found.leaves.map(({ step }) => step) : `${found.missing} is missing`;
};

test("leaves are the multiples after the beginning, and the end, wherever the unit was interrupted", () => {
  assert.deepEqual(stepsOf(0, 200), [50, 100, 150, 200]);
  assert.deepEqual(stepsOf(50, 120), [100, 120]);
  assert.deepEqual(stepsOf(120, 230), [150, 200, 230]);
  assert.deepEqual(stepsOf(200, 230), [230]);
  assert.deepEqual(stepsOf(120, DONE_STEP), [150, 200, DONE_STEP]);
});

test("a digest that is missing is told of, wherever it is", () => {
  const without = (step: number) => trace.filter((each) => each.step !== step);
  assert.equal(stepsOf(0, 200, without(50)), "50 is missing");
  assert.equal(stepsOf(0, 200, without(100)), "100 is missing");
  assert.equal(stepsOf(0, 230, without(200)), "200 is missing");
  assert.equal(stepsOf(0, DONE_STEP, without(150)), "150 is missing");
  assert.equal(stepsOf(0, 200, []), "50 is missing");
});
