import assert from "node:assert/strict";
import { test } from "node:test";

import { devicesOf, embodiedGrams, embodiedOf, LIFESPAN, parseEmbodied } from "./embodied.ts";

test("a class says the kind and number of its devices", () => {
  assert.deepEqual(devicesOf("gpu-80g-x8/eu"), { kind: "gpu-80g", count: 8 });
  assert.deepEqual(devicesOf("gpu-80g/eu"), { kind: "gpu-80g", count: 1 });
  assert.deepEqual(devicesOf("cpu/us"), { kind: "cpu", count: 1 });
});

test("what is embodied is spread over the lifespan, has a source, and is never zero where nothing is known", () => {
  const cpu = embodiedOf("cpu/eu");
  assert.ok(cpu);
  assert.match(cpu.source, /Teads/);
  assert.ok(Math.abs(embodiedGrams(cpu, LIFESPAN.hours) - 16_779) < 1);
  assert.ok(Math.abs(embodiedGrams(cpu, 1) - 0.479) < 0.001);
  assert.equal(embodiedOf("gpu-80g-x8/eu")?.kilograms, embodiedOf("gpu-80g/us")?.kilograms);
  assert.equal(embodiedOf("tpu/eu"), undefined);
  assert.deepEqual(embodiedOf("tpu/eu", { tpu: 200 }), { kilograms: 200, source: "as given" });
});

test("kilograms are read by kind", () => {
  assert.deepEqual(parseEmbodied("cpu=16.8,gpu-80g=585"), { cpu: 16.8, "gpu-80g": 585 });
  assert.deepEqual(parseEmbodied(""), {});
  for (const wrong of ["cpu", "cpu=", "cpu=-1", "=3"])
    assert.throws(() => parseEmbodied(wrong), /is no embodied carbon/);
});
