import assert from "node:assert/strict";
import { test } from "node:test";

import { environmentNameProblem, readUnitEnvironment, unitEnvironment } from "./environment.ts";
import { collidingPaths } from "./paths.ts";
import { shouldRestart } from "./restarts.ts";

const unit = { taskId: 7, unitIndex: 2, unitCount: 5, attempt: 1 };
const directories = { checkpoint: "/c", input: "/i", output: "/o" };

test("a unit's environment is the contract's variables, the spec's and nothing else", () => {
  assert.deepEqual(unitEnvironment({ env: { DIGITS_GRID: "{}", DRMP_TASK_ID: "99" } }, unit, directories), {
    LANG: "C.UTF-8",
    TZ: "UTC",
    DIGITS_GRID: "{}",
    DRMP_TASK_ID: "7",
    DRMP_UNIT_INDEX: "2",
    DRMP_UNIT_COUNT: "5",
    DRMP_ATTEMPT: "1",
    DRMP_CHECKPOINT_DIR: "/c",
    DRMP_INPUT_DIR: "/i",
    DRMP_OUTPUT_DIR: "/o",
  });
});

test("a program reads back what the agent wrote", () => {
  assert.deepEqual(readUnitEnvironment(unitEnvironment({ env: {} }, unit, directories)), { ...unit, directories });
});

test("units that exchange files learn where, and on which terms", () => {
  const terms = { quorum: 3, graceSeconds: 20 };
  const all = { ...directories, exchange: "/e" };
  const env = unitEnvironment({ env: {}, exchange: terms }, unit, all);
  assert.deepEqual(
    [env["DRMP_EXCHANGE_DIR"], env["DRMP_EXCHANGE_QUORUM"], env["DRMP_EXCHANGE_GRACE"]],
    ["/e", "3", "20"],
  );
  assert.deepEqual(readUnitEnvironment(env), { ...unit, directories: all, exchange: terms });
  // A spec without an exchange says nothing of it, whatever the folder has.
  assert.equal("DRMP_EXCHANGE_DIR" in unitEnvironment({ env: {} }, unit, all), false);
});

test("a program learns how often to write checkpoints, and where to stop", () => {
  const told = { env: {}, checkpoint: { everySteps: 50 } };
  const env = unitEnvironment(told, { ...unit, stopAt: 0 }, directories);
  assert.deepEqual([env["DRMP_CHECKPOINT_STEPS"], env["DRMP_STOP_AT"]], ["50", "0"]);
  assert.deepEqual(readUnitEnvironment(env), { ...unit, directories, checkpointSteps: 50, stopAt: 0 });
  const invalid = (name: string, value: string, message: RegExp) =>
    assert.throws(() => readUnitEnvironment({ ...env, [name]: value }), { code: "ENVIRONMENT_INVALID", message });
  invalid("DRMP_CHECKPOINT_STEPS", "0", /DRMP_CHECKPOINT_STEPS is 0/);
  invalid("DRMP_STOP_AT", "soon", /DRMP_STOP_AT is "soon"/);
});

test("a program that is started without the contract is told so", () => {
  const env = unitEnvironment({ env: {} }, unit, directories);
  const invalid = (change: Record<string, string | undefined>, message: RegExp) =>
    assert.throws(() => readUnitEnvironment({ ...env, ...change }), { code: "ENVIRONMENT_INVALID", message });
  invalid({ DRMP_OUTPUT_DIR: undefined }, /DRMP_OUTPUT_DIR is not set: .*started by an agent/);
  invalid({ DRMP_TASK_ID: "" }, /DRMP_TASK_ID is not set/);
  invalid({ DRMP_UNIT_INDEX: "-1" }, /DRMP_UNIT_INDEX is "-1": it has to be a whole number/);
  invalid({ DRMP_UNIT_INDEX: "5" }, /DRMP_UNIT_INDEX is 5, but DRMP_UNIT_COUNT is 5/);
});

test("a built-in trainer gets variables of its own name only", () => {
  assert.equal(environmentNameProblem("DIGITS_GRID", "digits"), undefined);
  assert.equal(environmentNameProblem("MY_NET_RATE", "my-net"), undefined);
  for (const name of ["PATH", "NODE_OPTIONS", "LD_PRELOAD", "OPENSSL_CONF", "DIGITS"]) {
    assert.match(environmentNameProblem(name, "digits") ?? "", /start with DIGITS_/);
    assert.equal(environmentNameProblem(name), undefined);
  }
});

test("paths collide when equal or nested, not when merely alike", () => {
  assert.deepEqual(collidingPaths(["b", "a/b/c", "a-b", "a/b"]), ["a/b", "a/b/c"]);
  assert.deepEqual(collidingPaths(["x", "y", "x"]), ["x", "x"]);
  assert.equal(collidingPaths(["a", "a-b", "a.b", "ab/c", "b/a"]), undefined);
  // Names that sort between a directory and what is inside it.
  assert.deepEqual(collidingPaths(["a", "a!", "a/b"]), ["a", "a/b"]);
});

test("only retryable ends are retried, and only so often", () => {
  const spec = { maxRestarts: 2, retryableExitCodes: [75, 124, 137] };
  assert.ok(shouldRestart(spec, { reason: "failed", code: 75 }, 0));
  assert.ok(shouldRestart(spec, { reason: "failed", code: 75 }, 1));
  assert.ok(!shouldRestart(spec, { reason: "failed", code: 75 }, 2));
  assert.ok(!shouldRestart(spec, { reason: "failed", code: 1 }, 0));
  assert.ok(shouldRestart(spec, { reason: "timeout", code: 137 }, 0));
  assert.ok(!shouldRestart({ ...spec, retryableExitCodes: [137] }, { reason: "timeout", code: 137 }, 0));
  for (const reason of ["done", "drained", "killed"] as const) {
    assert.ok(!shouldRestart(spec, { reason, code: 137 }, 0));
  }
});
