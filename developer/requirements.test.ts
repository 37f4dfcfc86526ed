import assert from "node:assert/strict";
import { test } from "node:test";

import { requireRunnable } from "./requirements.ts";

const spec = {
  trainer: "digits",
  resources: { cpus: 1, memoryMiB: 512, gpus: 0 },
  checkpoint: { intervalSeconds: 60 },
};
const wanted = { classes: ["cpu/eu"], checkpointInterval: 60 };

test("what some node can run is let through", () => {
  requireRunnable(spec, wanted);
  requireRunnable(
    { ...spec, resources: { ...spec.resources, gpus: 2 } },
    { ...wanted, classes: ["gpu-24g/eu", "gpu"] },
  );
  requireRunnable({ ...spec, trainer: "mine" }, { ...wanted, trainers: ["mine"] });
  const { trainer: _, ...image } = spec;
  requireRunnable(image, wanted);
});

test("what no node can run is refused by its own code", () => {
  const code = (changes: object, more: object = {}) => {
    try {
      requireRunnable({ ...spec, ...changes }, { ...wanted, ...more });
    } catch (error) {
      return (error as { code?: string }).code;
    }
    return undefined;
  };
  assert.equal(code({ trainer: "numerals" }), "UNKNOWN_TRAINER");
  assert.equal(code({ resources: { ...spec.resources, gpus: 1 } }), "NO_GPUS");
  assert.equal(code({ resources: { ...spec.resources, gpus: 1 } }, { classes: ["gpu-80g/us", "cpu/us"] }), "NO_GPUS");
  const gpu = { ...spec.resources, gpus: 2, gpuMemoryMiB: 40_000 };
  assert.equal(code({ resources: gpu }, { classes: ["gpu-80g-x2/eu", "gpu-48g/us"] }), undefined);
  assert.equal(code({ resources: gpu }, { classes: ["gpu-80g-x8/eu", "gpu-80g-x1/eu"] }), "TOO_FEW_GPUS");
  assert.equal(code({ resources: gpu }, { classes: ["gpu-80g/eu", "gpu-24g/eu"] }), "SMALL_GPUS");
  assert.equal(code({ checkpoint: { intervalSeconds: 61 } }), "TOO_RARE_CHECKPOINTS");
  assert.equal(code({}, { auditChance: 100 }), "UNTRACEABLE_STEPS");
  assert.equal(code({}, { auditChance: 0 }), undefined);
  assert.equal(code({ checkpoint: { intervalSeconds: 60, everySteps: 10 } }, { auditChance: 100 }), undefined);
});
