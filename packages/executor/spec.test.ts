import assert from "node:assert/strict";
import { test } from "node:test";

import { WorkloadError } from "./errors.ts";
import { MAX_SPEC_BYTES, parseSpec, specBytes, type TaskSpecInput } from "./spec.ts";

const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const CID_2 = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const IMAGE = `registry.example:5000/lab/trainer:1.2@sha256:${"ab".repeat(32)}`;

const builtIn: TaskSpecInput = {
  version: 1,
  name: "grid over digits",
  trainer: "digits",
  args: ["--epochs", "3"],
  env: { DIGITS_GRID: "{}" },
  resources: { cpus: 1, memoryMiB: 256 },
  checkpoint: { intervalSeconds: 10 },
  outputs: ["model.bin", "metrics.json"],
  timeouts: { unitSeconds: 600 },
};
const { trainer: _trainer, env: _env, ...rest } = builtIn;
const container: TaskSpecInput = { ...rest, image: IMAGE, command: ["python", "train.py"], network: "outbound" };

const parse = (value: unknown) => parseSpec(new TextEncoder().encode(JSON.stringify(value)));

test("a spec for a built-in trainer is read, and what it leaves out has its default", () => {
  assert.deepEqual(parse(builtIn), {
    ...builtIn,
    inputs: {},
    resources: { cpus: 1, memoryMiB: 256, gpus: 0 },
    timeouts: { unitSeconds: 600, graceSeconds: 20 },
    maxRestarts: 3,
    retryableExitCodes: [],
    network: "none",
  });
});

test("a spec for an image is read", () => {
  const spec = parse({ ...container, env: { LEARNING_RATE: "0.1" }, inputs: { [CID]: "data/a", [CID_2]: "data/b" } });
  assert.equal(spec.image, IMAGE);
  assert.deepEqual(spec.inputs, { [CID]: "data/a", [CID_2]: "data/b" });
  for (const image of ["a", "lab/a", "localhost:5000/a__b/c-d"]) {
    assert.ok(parse({ ...container, image: `${image}@sha256:${"00".repeat(32)}` }));
  }
});

test("credentials for an image's registry are for confidential specs, which may exchange files", () => {
  const registry = { username: "lab", password: "s3cret" };
  const exchange = { fileMiB: 4 };
  const spec = parse({ ...container, registry, exchange, confidential: true });
  assert.deepEqual([spec.registry, spec.exchange?.quorum], [registry, 1]);
  assert.throws(() => parse({ ...container, registry }), /- registry is a secret.*"confidential": true/);
  assert.throws(() => parse({ ...builtIn, registry, confidential: true }), /registry is for pulling an image/);
  assert.throws(
    () => parse({ ...container, registry: { username: "lab" }, confidential: true }),
    /registry\.password is missing/,
  );
});

test("specs that mean the same have the same bytes, and those read back", () => {
  const reordered = Object.fromEntries(Object.entries({ ...builtIn, maxRestarts: 3, network: "none" }).reverse());
  assert.deepEqual(specBytes(reordered as TaskSpecInput), specBytes(builtIn));
  assert.deepEqual(parseSpec(specBytes(builtIn)), parse(builtIn));
  const text = new TextDecoder().decode(specBytes(builtIn));
  assert.match(text, /^\{"args":\["--epochs","3"\],"checkpoint":\{"intervalSeconds":10\},"env"/);
  assert.notDeepEqual(specBytes({ ...builtIn, maxRestarts: 4 }), specBytes(builtIn));
});

const bad: [what: string, spec: unknown, message: RegExp][] = [
  ["no object", [], /the spec/],
  ["null", null, /the spec/],
  ["nothing in it", {}, /version is missing: it has to be 1[^]*name is missing[^]*outputs is missing/],
  ["another version", { ...builtIn, version: 2 }, /version is 2: it has to be 1, the only version there is/],
  ["a misspelt key", { ...builtIn, maxRestart: 1 }, /maxRestart is unknown: correct its spelling or remove it/],
  ["a misspelt key below", { ...builtIn, resources: { cpus: 1, memoryMiB: 64, gpu: 1 } }, /resources\.gpu is unknown/],
  ["an empty name", { ...builtIn, name: "" }, /name is "": it is empty/],
  ["neither program", rest, /exactly one program/],
  ["both programs", { ...builtIn, image: IMAGE }, /exactly one program/],
  ["an image by tag", { ...container, image: "lab/trainer:latest" }, /image is "lab\/trainer:latest": it has to be an/],
  ["a short digest", { ...container, image: "lab/trainer@sha256:abcd" }, /image is .*64 hex digits/],
  ["an image with an option", { ...container, image: `-v/@sha256:${"ab".repeat(32)}` }, /image is/],
  ["a trainer's path", { ...builtIn, trainer: "../digits" }, /trainer is "\.\.\/digits"/],
  ["a command for a trainer", { ...builtIn, command: ["sh"] }, /command is \["sh"\]: it is for images/],
  ["a network for a trainer", { ...builtIn, network: "outbound" }, /network is "outbound": it has to be "none"/],
  ["an unknown network", { ...container, network: "host" }, /network is "host": it has to be "none"/],
  ["an empty command", { ...container, command: [] }, /command is \[\]: it is empty/],
  ["an argument that is no text", { ...builtIn, args: [1] }, /args\.0 is 1: it has to be an argument/],
  ["an argument with NUL", { ...builtIn, args: ["a\0b"] }, /args\.0 is "a\\u0000b": it has a NUL/],
  ["an argument too long", { ...builtIn, args: ["x".repeat(5000)] }, /args\.0 is "x+…: it has to be an argument/],
  ["a reserved variable", { ...container, env: { DRMP_TASK_ID: "1" } }, /env\.DRMP_TASK_ID is "1": it is reserved/],
  ["a reserved variable in disguise", { ...container, env: { drmp_x: "1" } }, /env\.drmp_x .*reserved/],
  ["a variable with a bad name", { ...container, env: { "A=B": "1" } }, /env\.A=B is "1": it is no name/],
  ["Node's options for a trainer", { ...builtIn, env: { NODE_OPTIONS: "--x" } }, /start with DIGITS_/],
  ["OpenSSL's file for a trainer", { ...builtIn, env: { OPENSSL_CONF: "/x" } }, /start with DIGITS_/],
  ["a variable that is no text", { ...container, env: { A: 1 } }, /env\.A is 1: it has to be a variable's value/],
  ["an input that is no CID", { ...builtIn, inputs: { abc: "data" } }, /inputs\.abc is "data": it is under a key that/],
  ["an input by CIDv0", { ...builtIn, inputs: { QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG: "d" } }, /no CIDv1/],
  ["an input that climbs", { ...builtIn, inputs: { [CID]: "a/../../b" } }, /inputs\.baf\w+ is .*part "\." or "\.\."/],
  ["an absolute input", { ...builtIn, inputs: { [CID]: "/etc/passwd" } }, /is absolute: make it relative/],
  ["inputs that collide", { ...builtIn, inputs: { [CID]: "a", [CID_2]: "a/b" } }, /inputs .*"a" and "a\/b"/],
  ["an empty path", { ...builtIn, outputs: [""] }, /outputs\.0 is "": it is empty/],
  ["a backslash", { ...builtIn, outputs: ["a\\b"] }, /outputs\.0 .*backslash/],
  ["a trailing slash", { ...builtIn, outputs: ["a/"] }, /outputs\.0 .*empty part/],
  ["no outputs", { ...builtIn, outputs: [] }, /outputs is \[\]: it is empty/],
  ["equal outputs", { ...builtIn, outputs: ["a", "b", "a"] }, /outputs .*cannot exist side by side/],
  ["no CPU", { ...builtIn, resources: { cpus: 0, memoryMiB: 64 } }, /resources\.cpus is 0: it has to be at least/],
  ["half a MiB", { ...builtIn, resources: { cpus: 1, memoryMiB: 64.5 } }, /memoryMiB is 64\.5: .*whole number/],
  ["memory as text", { ...builtIn, resources: { cpus: 1, memoryMiB: "1G" } }, /memoryMiB is "1G": .*whole number/],
  ["no memory limit", { ...builtIn, resources: { cpus: 1 } }, /resources\.memoryMiB is missing: it has to be/],
  ["minus one GPU", { ...builtIn, resources: { cpus: 1, memoryMiB: 64, gpus: -1 } }, /resources\.gpus is -1/],
  [
    "a checkpoint directory",
    { ...builtIn, checkpoint: { intervalSeconds: 1, dir: "/x" } },
    /checkpoint\.dir is unknown/,
  ],
  ["an interval of nothing", { ...builtIn, checkpoint: { intervalSeconds: 0 } }, /intervalSeconds is 0/],
  ["an endless unit", { ...builtIn, timeouts: { unitSeconds: 1e9 } }, /timeouts\.unitSeconds is 1000000000/],
  ["a negative grace", { ...builtIn, timeouts: { unitSeconds: 1, graceSeconds: -1 } }, /graceSeconds is -1/],
  ["too many restarts", { ...builtIn, maxRestarts: 101 }, /maxRestarts is 101/],
  ["exit code 0 retried", { ...builtIn, retryableExitCodes: [0] }, /retryableExitCodes\.0 is 0/],
  ["drained retried", { ...builtIn, retryableExitCodes: [143] }, /retryableExitCodes is \[143\]: it has 143/],
];

for (const [what, spec, message] of bad) {
  test(`refused with its remedy: ${what}`, () => {
    assert.throws(() => parse(spec), { code: "SPEC_INVALID", message });
  });
}

test("a prototype key is an unknown or bad one, never followed", () => {
  const text = new TextDecoder().decode(specBytes(container));
  for (const spoilt of [
    text.replace("{", '{"__proto__":{"name":"x"},'),
    text.replace('"env":{', '"env":{"__proto__":"x"'),
  ]) {
    try {
      const spec = parseSpec(new TextEncoder().encode(spoilt));
      assert.equal(spec.name, container.name);
      assert.deepEqual(Object.keys(spec.env), []);
    } catch (error) {
      assert.ok(error instanceof WorkloadError);
    }
  }
});

test("bytes that are no JSON, not UTF-8, or too many are refused", () => {
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => parseSpec(bytes), { code: "SPEC_INVALID", message });
  refused(new TextEncoder().encode("{"), /not JSON in UTF-8/);
  refused(Uint8Array.of(0x22, 0xff, 0x22), /not JSON in UTF-8/);
  refused(new Uint8Array(MAX_SPEC_BYTES + 1).fill(0x20), /65537 bytes, but at most 65536/);
  assert.throws(() => specBytes({ ...builtIn, args: Array(200).fill("x".repeat(4000)) }), /at most 65536/);
});

test("all findings are told at once", () => {
  assert.throws(
    () => parse({ ...builtIn, version: 2, maxRestarts: -1, extra: 0 }),
    (error: WorkloadError) => {
      assert.deepEqual(error.message.match(/^- \w+/gm), ["- version", "- maxRestarts", "- extra"]);
      return true;
    },
  );
});
