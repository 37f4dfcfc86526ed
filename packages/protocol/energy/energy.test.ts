import assert from "node:assert/strict";
import { test } from "node:test";

import { classBaseline, PUE } from "./baseline.ts";
import { carbonSurcharge, gramsOfCo2 } from "./carbon.ts";
import { type EnergyTotals, isRenewable, renewableNodes, standing } from "./goals.ts";
import { intensityTable, kindOf, KNOWN_REGIONS, regionOf } from "./intensity.ts";

test("every region of the table has a plausible, dated intensity with its source", () => {
  for (const region of KNOWN_REGIONS) {
    const { gramsPerKwh, of, source } = intensityTable.intensity(region);
    assert.ok(gramsPerKwh > 10 && gramsPerKwh < 1000, region);
    assert.match(of, /, 20\d\d$/);
    assert.match(source, /Ember.*2025-08-03.*2026/);
  }
  assert.equal(intensityTable.intensity(regionOf("gpu-80g/eu")).gramsPerKwh, 213.02);
  assert.throws(() => intensityTable.intensity("mars"), /"mars" is not known; known are eu, us/);
  assert.equal(kindOf("gpu-80g/eu"), "gpu-80g");
});

test("carbon is what the grid emits for the energy that is not renewable", () => {
  assert.equal(gramsOfCo2(3_600_000, 0, 400), 400);
  assert.equal(gramsOfCo2(7_200_000, 3_600_000, 400), 400);
  assert.equal(gramsOfCo2(100, 200, 400), 0);
});

test("the carbon surcharge is price × intensity × energy, in whole micro-VER", () => {
  // 1 kWh at 500 g/kWh is half a kilogram; 2 VER/kg makes 1 VER.
  assert.equal(carbonSurcharge(2_000_000, 500, 3_600_000), 1_000_000);
  assert.equal(carbonSurcharge(0, 500, 3_600_000), 0);
  assert.equal(carbonSurcharge(3, 500, 3_600_000), 2);
  assert.throws(() => carbonSurcharge(-1, 500, 1), RangeError);
  assert.throws(() => carbonSurcharge(1, NaN, 1), RangeError);
  assert.throws(() => carbonSurcharge(1e15, 500, 3_600_000), RangeError);
});

test("baselines have a source; a GPU-hour takes far more than a vCPU-hour", () => {
  const [gpu, cpu] = [classBaseline("gpu-80g/us"), classBaseline("cpu/eu")];
  assert.ok(gpu && cpu);
  assert.equal(gpu.joulesPerUnit, 969 * 3600);
  assert.equal(classBaseline("cpu/eu", 0.5)?.joulesPerUnit, cpu.joulesPerUnit / 2);
  assert.match(gpu.source, /2506\.14551/);
  assert.equal(classBaseline("abacus/eu"), undefined);
  assert.ok(PUE.value > 1);
});

const totals: EnergyTotals = {
  joules: 600,
  renewableJoules: 150,
  grams: 40,
  baselineJoules: 1000,
  baselineGrams: 100,
  idleUnitSeconds: 30,
  unitSeconds: 120,
};

test("the standing is in percent, signed, and silent where there is nothing to compare with", () => {
  assert.deepEqual(standing(totals), {
    efficiencyGain: 40,
    renewableEnergy: 25,
    carbonReduction: 60,
    idleHarvested: 25,
  });
  assert.equal(standing({ ...totals, joules: 1500 }).efficiencyGain, -50);
  assert.deepEqual(standing({ ...totals, joules: 0, baselineJoules: 0, baselineGrams: 0, unitSeconds: 0 }), {
    efficiencyGain: undefined,
    renewableEnergy: undefined,
    carbonReduction: undefined,
    idleHarvested: undefined,
  });
});

test("the share of renewable nodes is told beside what the goal asks for by now", () => {
  const nodes = ["solar", "wind", "grid", "nuclear"].map((energySource) => ({ energySource }));
  assert.deepEqual(renewableNodes(nodes, 2028), { share: 50, due: 40 });
  assert.deepEqual(renewableNodes([], 2031), { share: undefined, due: 80 });
  assert.deepEqual(
    ["hydro", "geothermal", "storage", "unknown"].map((source) => isRenewable(source)),
    [true, true, false, false],
  );
});
