import assert from "node:assert/strict";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { newestCheckpoint } from "../../checkpoints.ts";
import type { UnitExit } from "../../executor.ts";
import { ProcessExecutor } from "../../process.ts";
import { temporaryDirectory, testSpec, testUnit, until } from "../../testing.ts";
import { builtInTrainers } from "../registry.ts";
import { loadDigits } from "./data.ts";
import { decodeModel, sha256 } from "./model-file.ts";
import { Trainee } from "./network.ts";
import { type Metrics, OUTPUTS } from "./result.ts";

const executor = new ProcessExecutor({ trainers: builtInTrainers });

/** Four seconds, with 20 checkpoints; it rests most of the time, so that a test which is kept waiting still comes in its midst. */
const SMALL = ["--epochs", "20", "--train", "1000", "--test", "200", "--checkpoint-steps", "32", "--pace", "5"];

function unitOf(root: string, args: string[], grid?: string) {
  return testUnit(
    root,
    testSpec({
      trainer: "digits",
      args,
      env: grid === undefined ? {} : { DIGITS_GRID: grid },
      outputs: [...OUTPUTS],
    }),
  );
}

async function outputsOf(unit: ReturnType<typeof unitOf>): Promise<Record<string, Buffer>> {
  const names = (await readdir(unit.folder.output)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(unit.folder.output, name))] as const)),
  );
}

/** Runs a unit to its end; each time a newer checkpoint exists, interrupts it and starts it again. */
async function runInterrupted(
  context: TestContext,
  unit: ReturnType<typeof unitOf>,
  interruptions: ("drain" | "kill")[],
): Promise<UnitExit[]> {
  const exits: UnitExit[] = [];
  for (const how of interruptions) {
    const before = (await newestCheckpoint(unit.folder.checkpoint))?.number ?? 0;
    const running = await executor.start({ ...unit, attempt: exits.length + 1 });
    context.after(() => running.kill());
    await until(
      "a newer checkpoint",
      async () => ((await newestCheckpoint(unit.folder.checkpoint))?.number ?? 0) > before,
    );
    exits.push(await (how === "drain" ? running.drain(10) : running.kill()));
  }
  exits.push(await (await executor.start({ ...unit, attempt: exits.length + 1 })).exited);
  return exits;
}

test("interrupted by SIGTERM and SIGKILL or not at all, a unit leaves the very same bytes", async (context) => {
  const whole = unitOf(await temporaryDirectory(context), SMALL);
  const broken = unitOf(await temporaryDirectory(context), SMALL);
  const interruptions = ["drain", "kill", "drain", "kill", "kill"] as const;
  const [[first], exits] = await Promise.all([
    runInterrupted(context, whole, []),
    runInterrupted(context, broken, [...interruptions]),
  ]);
  assert.equal(first?.reason, "done");
  assert.deepEqual(
    exits.map(({ reason, code }) => `${reason} ${code}`),
    ["drained 143", "killed 137", "drained 143", "killed 137", "killed 137", "done 0"],
  );
  const digests = async (unit: ReturnType<typeof unitOf>) =>
    Object.entries(await outputsOf(unit)).map(([name, bytes]) => `${name} ${sha256(bytes)}`);
  const outputs = await digests(whole);
  assert.match(outputs.join(), /^metrics\.json \w+,model\.bin \w+$/);
  assert.deepEqual(await digests(broken), outputs);
  assert.match(await readFile(broken.folder.log, "utf8"), /going on after step \d+/);
});

test("SIGTERM makes a checkpoint of the very step it comes at", async (context) => {
  const unit = unitOf(await temporaryDirectory(context), [...SMALL, "--checkpoint-steps", "100000"]);
  const running = await executor.start(unit);
  context.after(() => running.kill());
  await until("training began", async () => (await running.logTail(10_000)).includes("epoch 1:"));
  assert.equal((await running.drain(10)).reason, "drained");
  const newest = await newestCheckpoint(unit.folder.checkpoint);
  assert.ok(newest && newest.number >= 32 && newest.number < 640);
  assert.equal(newest.progress, newest.number / 640);
});

test("with its defaults a unit takes seconds, leaves checkpoints, and recognises nine of ten digits", async (context) => {
  const unit = unitOf(await temporaryDirectory(context), []);
  const running = await executor.start(unit);
  const exit = await running.exited;
  assert.equal(exit.reason, "done", exit.detail);
  const { model, metrics } = await resultOf(unit);
  assert.ok(metrics.accuracy > 0.9, String(metrics.accuracy));
  assert.equal(metrics.epochs, 12);
  assert.equal(metrics.trainingLosses.length, 12);
  assert.equal(metrics.weightsSha256, sha256(model));
  assert.equal((await running.logTail(10_000)).match(/checkpoint-\d+ written/g)?.length, 6);
  // Anyone who gets the model can check what is said of it.
  const { test: samples } = await loadDigits(10, metrics.config.test);
  const { accuracy, loss } = new Trainee(decodeModel(model)).evaluate(samples);
  assert.deepEqual({ accuracy, loss }, { accuracy: metrics.accuracy, loss: metrics.loss });
});

test("a training that diverges has a result too: a bad one", async (context) => {
  const grid = JSON.stringify({ learningRate: [10], momentum: [0.999], batch: [1], hidden: [64] });
  const args = ["--epochs", "2", "--train", "200", "--test", "100"];
  const unit = unitOf(await temporaryDirectory(context), args, grid);
  const exit = await (await executor.start(unit)).exited;
  assert.equal(exit.reason, "done", await readFile(unit.folder.log, "utf8"));
  const { metrics } = await resultOf(unit);
  assert.ok(metrics.accuracy < 0.3);
});

test("a spec that makes no sense ends with exit code 64 and the remedy", async (context) => {
  const unit = unitOf(await temporaryDirectory(context), ["--epochs", "0"]);
  const running = await executor.start(unit);
  const exit = await running.exited;
  assert.deepEqual([exit.reason, exit.code], ["failed", 64]);
  assert.match(await running.logTail(1000), /--epochs is 0: it has to be a whole number from 1 to 10000/);
});

test("a foreign checkpoint is passed over, and the unit starts again", async (context) => {
  const unit = unitOf(await temporaryDirectory(context), ["--epochs", "1", "--train", "100", "--test", "10"]);
  const foreign = join(unit.folder.checkpoint, "checkpoint-000000900");
  await mkdir(foreign, { recursive: true });
  await writeFile(join(foreign, "state.json"), "{}");
  const running = await executor.start(unit);
  assert.equal((await running.exited).reason, "done");
  assert.match(await running.logTail(1000), /checkpoint-000000900 is passed over: [^]*starting again/);
});

async function resultOf(unit: ReturnType<typeof unitOf>): Promise<{ model: Buffer; metrics: Metrics }> {
  const { "model.bin": model, "metrics.json": text } = await outputsOf(unit);
  assert.ok(model && text);
  return { model, metrics: JSON.parse(text.toString("utf8")) as Metrics };
}
