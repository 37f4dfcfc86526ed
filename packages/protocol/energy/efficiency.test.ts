import assert from "node:assert/strict";
import { test } from "node:test";

import { efficiencyGain } from "./goals.ts";

test("efficiency gain, as published: 1000 against 600 kWh gives 40 %", () => {
  assert.equal(efficiencyGain(1000, 600), 40);
});

test("no baseline, no gain", () => {
  assert.equal(efficiencyGain(0, 600), 0);
});

test("the gain is signed", () => {
  assert.equal(efficiencyGain(600, 900), -50);
  assert.equal(efficiencyGain(500, 500), 0);
});

test("impossible energies are refused", () => {
  assert.throws(() => efficiencyGain(-1, 0), RangeError);
  assert.throws(() => efficiencyGain(1, NaN), RangeError);
});
