import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { listCheckpoints } from "./checkpoints.ts";
import type { TaskSpecInput } from "./spec.ts";
import { ProcessExecutor } from "./process.ts";
import { misbehaving, temporaryDirectory, testSpec, testUnit, until } from "./testing.ts";

const executor = new ProcessExecutor({ trainers: misbehaving });

async function start(context: TestContext, args: string[], changes: Partial<TaskSpecInput> = {}) {
  const unit = testUnit(await temporaryDirectory(context), testSpec({ args, ...changes }));
  const running = await executor.start(unit);
  context.after(() => running.kill());
  const ready = () => until("the unit is ready", async () => (await running.logTail(1000)).includes("ready\n"));
  const result = async () => JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")) as unknown;
  return { unit, running, ready, result };
}

test("a unit that ends well is done; its checkpoints were seen, half-written ones were not", async (context) => {
  const unit = testUnit(await temporaryDirectory(context), testSpec({ args: ["finish"] }));
  await mkdir(join(unit.folder.checkpoint, "checkpoint-000000003"), { recursive: true });
  await mkdir(join(unit.folder.checkpoint, "checkpoint-000000004.tmp"));
  const running = await executor.start(unit);
  assert.match(running.id, /^process \d+$/);
  const exit = await running.exited;
  assert.equal(exit.reason, "done");
  assert.equal(exit.code, 0);
  assert.ok(exit.cpuSeconds > 0.01 && exit.cpuSeconds < 20, String(exit.cpuSeconds));
  assert.equal(running.cpuSeconds(), exit.cpuSeconds);
  assert.equal(
    await readFile(join(unit.folder.output, "result.json"), "utf8"),
    '{"checkpoints":["checkpoint-000000003"]}',
  );
  // Nothing is left to be taken for a running process.
  assert.deepEqual((await readdir(unit.folder.root)).sort(), ["checkpoint", "input", "output", "unit.log"]);
  assert.deepEqual(await running.drain(1), exit);
  assert.deepEqual(await running.kill(), exit);
});

test("outputs of an attempt before are gone", async (context) => {
  const unit = testUnit(await temporaryDirectory(context), testSpec({ args: ["no-output"] }));
  await mkdir(join(unit.folder.output, "result.json"), { recursive: true });
  const exit = await (await executor.start(unit)).exited;
  assert.equal(exit.reason, "failed");
  assert.deepEqual(await readdir(unit.folder.output), []);
});

test("exit code 0 without the promised output is a failure that says so", async (context) => {
  const { running } = await start(context, ["no-output"]);
  const exit = await running.exited;
  assert.equal(exit.reason, "failed");
  assert.match(exit.detail, /no "result\.json" among its outputs/);
});

test("a link among the outputs is a failure: the agent would publish what it points to", async (context) => {
  const { unit, running } = await start(context, ["finish-later"]);
  await symlink("/etc/passwd", join(unit.folder.output, "link"));
  await writeFile(join(unit.folder.input, "go"), "");
  const exit = await running.exited;
  assert.equal(exit.reason, "failed");
  assert.match(exit.detail, /link is an absolute link/);
});

test("another exit code is a failure with that code", async (context) => {
  const { running } = await start(context, ["exit", "75"]);
  const { reason, code, detail } = await running.exited;
  assert.deepEqual({ reason, code, detail }, { reason: "failed", code: 75, detail: "exit code 75" });
});

test("drained: SIGTERM, a last checkpoint, exit code 143", async (context) => {
  const { unit, running, ready } = await start(context, ["drain"]);
  await ready();
  const { reason, code } = await running.drain(10);
  assert.deepEqual({ reason, code }, { reason: "drained", code: 143 });
  const [last] = await listCheckpoints(unit.folder.checkpoint);
  assert.equal(last?.number, 7);
  assert.equal(last.progress, 0.5);
});

test("a unit that ignores SIGTERM is killed when its grace is over", async (context) => {
  const { running, ready } = await start(context, ["stubborn"]);
  await ready();
  const began = performance.now();
  const { reason, code, signal, detail } = await running.drain(0.3);
  assert.ok(performance.now() - began >= 290);
  assert.deepEqual({ reason, code, signal }, { reason: "killed", code: 137, signal: "SIGKILL" });
  assert.match(detail, /did not leave within the grace/);
});

test("killed at once", async (context) => {
  const { running, ready } = await start(context, ["stubborn"]);
  await ready();
  const { reason, code } = await running.kill();
  assert.deepEqual({ reason, code }, { reason: "killed", code: 137 });
});

test("killed by someone else is a failure", async (context) => {
  const { running, ready } = await start(context, ["wait"]);
  await ready();
  process.kill(Number(running.id.replace("process ", "")), "SIGKILL");
  const { reason, code, signal } = await running.exited;
  assert.deepEqual({ reason, code, signal }, { reason: "failed", code: 137, signal: "SIGKILL" });
});

test("a unit that takes too long is told to stop, then killed", async (context) => {
  // Long enough for the stubborn one to have begun: what has not yet is ended by SIGTERM.
  const timeouts = { unitSeconds: 4, graceSeconds: 0 };
  const [polite, stubborn] = await Promise.all([
    start(context, ["wait"], { timeouts: { ...timeouts, graceSeconds: 10 } }),
    start(context, ["stubborn"], { timeouts }),
  ]);
  const exits = await Promise.all([polite.running.exited, stubborn.running.exited]);
  assert.deepEqual(
    exits.map(({ reason, code }) => [reason, code]),
    [
      ["timeout", 143],
      ["timeout", 137],
    ],
  );
  assert.match(exits[0].detail, /longer than 4 s: raise timeouts\.unitSeconds/);
});

test("a unit that uses too much memory is ended, with the remedy", async (context) => {
  const { running } = await start(context, ["hog"], { resources: { cpus: 1, memoryMiB: 160 } });
  const { reason, detail } = await running.exited;
  assert.equal(reason, "failed");
  assert.match(detail, /used more than 160 MiB: raise resources\.memoryMiB/);
  assert.ok(running.cpuSeconds() > 0, "sampled while it ran");
});

test("its log is bounded and keeps the end", async (context) => {
  const unit = testUnit(await temporaryDirectory(context), testSpec({ args: ["chatter", "20000"] }));
  const running = await new ProcessExecutor({ trainers: misbehaving, logBytes: 64 * 1024 }).start(unit);
  assert.equal((await running.exited).reason, "done");
  const sizes = await Promise.all(
    [unit.folder.log, `${unit.folder.log}.1`].map(async (path) => (await stat(path)).size),
  );
  assert.ok(
    sizes.every((size) => size > 0 && size <= 32 * 1024),
    String(sizes),
  );
  const tail = await running.logTail(40_000);
  assert.match(tail, /line 19999 x+\n[^]*--- done: exit code 0/);
  assert.match(tail, /line 19700 /);
  assert.equal((await running.logTail(10)).length, 10);
});

test("a disk too full for its log loses lines, not the unit", async (context) => {
  const root = await temporaryDirectory(context);
  await symlink("/dev/full", join(root, "unit.log"));
  const exit = await (await executor.start(testUnit(root, testSpec({ args: ["chatter", "100"] })))).exited;
  assert.equal(exit.reason, "done");
});

test("its environment is the contract's and the spec's alone", async (context) => {
  process.env["AGENT_PRIVATE_KEY"] = "0xsecret";
  context.after(() => delete process.env["AGENT_PRIVATE_KEY"]);
  const { unit, running, result } = await start(context, ["environment"], { env: { MISBEHAVES_X: "1" } });
  await running.exited;
  assert.deepEqual(await result(), {
    LANG: "C.UTF-8",
    TZ: "UTC",
    MISBEHAVES_X: "1",
    DRMP_TASK_ID: "1",
    DRMP_UNIT_INDEX: "0",
    DRMP_UNIT_COUNT: "1",
    DRMP_ATTEMPT: "1",
    DRMP_CHECKPOINT_DIR: unit.folder.checkpoint,
    DRMP_INPUT_DIR: unit.folder.input,
    DRMP_OUTPUT_DIR: unit.folder.output,
  });
});

test("it can read, write and start nothing beyond its own", async (context) => {
  const root = await temporaryDirectory(context);
  const unit = testUnit(root, testSpec({ args: ["trespass"] }));
  await mkdir(unit.folder.input, { recursive: true });
  await writeFile(join(unit.folder.input, "data.txt"), "for the workload");
  const running = await executor.start(unit);
  assert.equal((await running.exited).reason, "done", await running.logTail(2000));
  const denied = "ERR_ACCESS_DENIED";
  assert.deepEqual(JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")), {
    read: denied,
    readAgent: denied,
    readEnvironment: denied,
    write: denied,
    writeInput: denied,
    link: denied,
    spawn: denied,
    worker: denied,
    addon: "ERR_DLOPEN_DISABLED",
    input: "for the workload",
  });
  assert.deepEqual(await readdir(unit.folder.input), ["data.txt"]);
});

test("what is not for a process is refused, and told why", async (context) => {
  const root = await temporaryDirectory(context);
  const { trainer: _, ...rest } = testSpec({});
  const image = { ...rest, image: `lab/x@sha256:${"00".repeat(32)}` };
  const cases = [
    [image, /wants the image lab\/x@sha256:0+, but .*needs a container. Name one of its trainers: misbehaves/],
    [testSpec({ trainer: "digit" }), /no trainer "digit": update its agent, or name one of misbehaves/],
    [testSpec({ resources: { cpus: 1, memoryMiB: 64, gpus: 1 } }), /wants 1 GPUs.*set resources\.gpus to 0/],
  ] as const;
  for (const [spec, message] of cases) {
    assert.match(executor.refusal(spec) ?? "", message);
    await assert.rejects(executor.start(testUnit(root, spec)), { code: "REFUSED", message });
  }
  assert.equal(executor.refusal(testSpec({})), undefined);
  assert.deepEqual(await readdir(root), []);
});

test("the same unit does not run twice, but again once it has ended", async (context) => {
  const { unit, running, ready } = await start(context, ["wait"]);
  await ready();
  await assert.rejects(executor.start(unit), { code: "ALREADY_RUNNING" });
  await running.kill();
  const again = await executor.start({ ...unit, spec: testSpec({ args: ["finish"] }), attempt: 2 });
  assert.equal((await again.exited).reason, "done");
  assert.match(await again.logTail(10_000), /attempt 1\nready\n--- killed[^]*attempt 2\n--- done/);
});

test("a directory that would open more than itself is refused", async (context) => {
  const root = join(await temporaryDirectory(context), "a*");
  await assert.rejects(executor.start(testUnit(root, testSpec({ args: ["finish"] }))), {
    code: "START_FAILED",
    message: /wildcard/,
  });
});
