import assert from "node:assert/strict";
import { test } from "node:test";

import { baselineFit, classBaseline, isClaimed, MOST_FIT, PUE, unitFit, whyNotClaimed } from "./baseline.ts";

test("a baseline fits if it is of units as long as those that were run", () => {
  const hour = (classBaseline("cpu/eu")?.joulesPerUnit ?? 0) * PUE.value;
  const worked = (hours: number) => [{ className: "cpu/eu", hours }];
  assert.equal(baselineFit(4 * hour, worked(4)), 1);
  // Two units that slept ten seconds, set against two device-hours: the savings of 99.9 % that nobody made.
  const two = baselineFit(2 * hour, worked(20 / 3600)) ?? 0;
  assert.ok(two > 359 && two < 361 && two > MOST_FIT);
});

test("classes are weighed by their hours, eight GPUs count eight times, and of what is unknown nothing is said", () => {
  const [cpu, gpu] = [classBaseline("cpu/eu"), classBaseline("gpu-80g/eu")];
  assert.equal(classBaseline("gpu-80g-x8/eu")?.joulesPerUnit, 8 * (gpu?.joulesPerUnit ?? 0));
  const joules = ((cpu?.joulesPerUnit ?? 0) * 3 + (gpu?.joulesPerUnit ?? 0)) * PUE.value;
  const worked = [
    { className: "cpu/eu", hours: 3 },
    { className: "gpu-80g/us", hours: 1 },
  ];
  assert.ok(Math.abs((baselineFit(joules, worked) ?? 0) - 1) < 1e-12);
  assert.equal(baselineFit(joules, [...worked, { className: "tpu/eu", hours: 1 }]), undefined);
  assert.equal(baselineFit(joules, []), undefined);
});

test("a saving is claimed only where the baseline is known to fit", () => {
  assert.deepEqual([1, 2, 2.1, undefined].map(isClaimed), [true, true, false, false]);
  // Ten units of twenty seconds against ten device-hours; ten of an hour each; nothing reported.
  assert.deepEqual([unitFit(10, 200 / 3600), unitFit(10, 10), unitFit(10, 0)], [180, 1, undefined]);
});

test("where no saving is claimed, what is not known is told from what does not fit", () => {
  assert.match(whyNotClaimed(baselineFit(1, [{ className: "tpu/eu", hours: 1 }])), /^it is not known/);
  assert.match(whyNotClaimed(baselineFit(1, [])), /^it is not known/);
  assert.match(whyNotClaimed(360.2), /is 360 times .* of longer units than these$/);
});
