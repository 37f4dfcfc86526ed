import assert from "node:assert/strict";
import { test } from "node:test";

import { parseSpec } from "@verai/executor/spec";

import { programSpec, withInputs } from "./program-spec.ts";

const CODE = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
const DATA = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const program = {
  script: "train.py",
  code: CODE,
  data: DATA,
  image: `lab.example/trainer-python@sha256:${"ab".repeat(32)}`,
  args: ["--epochs", "3"],
  cpus: 2,
  memoryMiB: 4096,
  gpus: 0,
  confidential: false,
  scratchMiB: 1024,
  outputs: ["model.safetensors"],
  checkpointInterval: 60,
  unitSeconds: 3600,
};

test("a script with its folder and data becomes a spec", () => {
  const spec = parseSpec(programSpec(program));
  assert.deepEqual(spec.args, ["python3", "/verai/input/code/train.py", "--epochs", "3"]);
  assert.equal(spec.command, undefined, "the image's init stays process 1");
  assert.deepEqual(spec.inputs, { [CODE]: "code", [DATA]: "data" });
  assert.deepEqual(spec.resources, { cpus: 2, memoryMiB: 4096, gpus: 0, ephemeralMiB: 1024, shmMiB: 1024 });
  assert.deepEqual(parseSpec(programSpec({ ...program, data: undefined })).inputs, { [CODE]: "code" });
  const own = parseSpec(programSpec({ ...program, image: undefined, confidential: true }));
  assert.deepEqual([own.trainer, own.args[0], own.confidential], ["python", "code/train.py", true]);
  assert.deepEqual(parseSpec(programSpec(program)).checkpoint, { intervalSeconds: 60 });
  const steps = parseSpec(programSpec({ ...program, everySteps: 50 }));
  assert.deepEqual(steps.checkpoint, { intervalSeconds: 60, everySteps: 50 });
  assert.equal(steps.exchange, undefined);
  const exchange = { fileMiB: 64, quorum: 3, graceSeconds: 20 };
  assert.deepEqual(parseSpec(programSpec({ ...program, exchange })).exchange, exchange);
  assert.throws(() => programSpec({ ...program, exchange: { ...exchange, quorum: 0 } }), /quorum/);
  assert.throws(() => programSpec({ ...program, data: CODE }), /leave --data out/);
  assert.throws(() => programSpec({ ...program, image: "trainer-python:latest" }), /image by digest/);
});

test("inputs are added to a spec, and what makes no sense is named", () => {
  const { inputs: _, ...rest } = parseSpec(programSpec({ ...program, data: undefined }));
  const spec = new TextEncoder().encode(JSON.stringify({ ...rest, inputs: { [CODE]: "code" } }));
  assert.deepEqual(parseSpec(withInputs(spec, `${DATA}=words/train.txt`)).inputs, {
    [CODE]: "code",
    [DATA]: "words/train.txt",
  });
  assert.equal(withInputs(spec, ""), spec);
  for (const [inputs, says] of [
    [DATA, /write <CID>=<path/],
    [`${DATA}=a=b`, /write <CID>=<path/],
    [`${CODE}=again`, /has already/],
    [`${DATA}=../up`, /inputs/],
    [`${DATA}=code/x`, /cannot exist side by side/],
    ["x=data", /no CIDv1/],
  ] as const) {
    assert.throws(() => withInputs(spec, inputs), says, inputs);
  }
});
