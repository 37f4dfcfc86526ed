import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { newestCheckpoint } from "../../checkpoints.ts";
import type { UnitExit, UnitRun } from "../../executor.ts";
import { ProcessExecutor } from "../../process.ts";
import { temporaryDirectory, testSpec, testUnit, until } from "../../testing.ts";
import { LocalCheckpoints } from "../../trace/local-checkpoints.ts";
import { digestOf, doneCid } from "../../trace/state.ts";
import { readTrace, type TraceEntry, TraceFile } from "../../trace/trace-file.ts";
import { builtInTrainers } from "../registry.ts";
import { OUTPUTS } from "./result.ts";

const executor = new ProcessExecutor({ trainers: builtInTrainers });

/** 96 steps, with a local checkpoint every 10. */
const spec = testSpec({
  trainer: "digits",
  args: ["--epochs", "3", "--train", "1000", "--test", "100", "--checkpoint-steps", "1000"],
  env: { DIGITS_GRID: JSON.stringify({ hidden: [12], learningRate: [0.05, 0.02] }) },
  checkpoint: { intervalSeconds: 60, everySteps: 10 },
  outputs: [...OUTPUTS],
});
const STEPS = Array.from({ length: 9 }, (_, i) => 10 * (i + 1));

function unitAt(root: string, changes: Partial<UnitRun> = {}): UnitRun {
  return testUnit(root, spec, { unitCount: 2, unitIndex: 1, ...changes });
}

/** Runs a unit, taking note of its local checkpoints. @param interrupt Ends it early. */
async function run(
  context: TestContext,
  unit: UnitRun,
  interrupt?: (
    newest: () => Promise<number>,
    running: { drain(seconds: number): Promise<UnitExit>; kill(): Promise<UnitExit> },
  ) => Promise<unknown>,
): Promise<{ exit: UnitExit; entries: readonly TraceEntry[] }> {
  const { root, checkpoint } = unit.folder;
  await mkdir(checkpoint, { recursive: true });
  const trace = join(root, "trace");
  const local = await LocalCheckpoints.start({
    directory: checkpoint,
    scratch: join(root, "scratch"),
    trace: await TraceFile.open(trace),
    log: { warn: (fields, message) => assert.fail(`${message}: ${JSON.stringify(fields)}`) },
  });
  context.after(() => local.stop());
  const running = await executor.start(unit);
  context.after(() => running.kill());
  await interrupt?.(async () => (await newestCheckpoint(checkpoint))?.number ?? 0, running);
  const exit = await running.exited;
  await local.stop();
  return { exit, entries: await readTrace(trace) };
}

async function done(unit: UnitRun): Promise<string> {
  return digestOf(await doneCid(unit.folder.output, join(unit.folder.root, "scratch")));
}

test("each local checkpoint is the same to the bit, interrupted and gone on with elsewhere or not, and equals the fixed ones", async (context) => {
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => temporaryDirectory(context)));
  assert.ok(one && two && three);
  const whole = await run(context, unitAt(one));
  assert.equal(whole.exit.reason, "done", whole.exit.detail);
  assert.deepEqual(
    whole.entries.map(({ step }) => step),
    STEPS,
  );

  const killed = await run(context, unitAt(two), async (newest, running) => {
    await until("a third checkpoint", async () => (await newest()) >= 30);
    await running.kill();
  });
  assert.equal(killed.exit.reason, "killed");
  const drained = await run(context, unitAt(two, { attempt: 2 }), async (newest, running) => {
    const before = await newest();
    await until("a newer checkpoint", async () => (await newest()) > before);
    await running.drain(10);
  });
  // Goes on in another directory, as on another machine.
  await cp(join(two, "checkpoint"), join(three, "checkpoint"), { recursive: true });
  const rest = await run(context, unitAt(three, { attempt: 3, taskId: 99, leaseId: 7 }));
  assert.equal(rest.exit.reason, "done");
  const again = new Map([...drained.entries, ...rest.entries].map(({ step, digest }) => [step, digest]));
  assert.deepEqual(
    STEPS.map((step) => ({ step, digest: again.get(step) })),
    whole.entries,
  );
  assert.equal(await done(unitAt(three)), await done(unitAt(one)));

  const fixed: unknown = JSON.parse(await readFile(new URL("states.vectors.json", import.meta.url), "utf8"));
  assert.deepEqual({ states: whole.entries, done: await done(unitAt(one)) }, fixed);
});

test("DRMP_STOP_AT stops at exactly that step, with its state written, and a second time does nothing", async (context) => {
  const root = await temporaryDirectory(context);
  const fixed = JSON.parse(await readFile(new URL("states.vectors.json", import.meta.url), "utf8")) as {
    states: TraceEntry[];
  };
  const digest = (step: number) => fixed.states.find((each) => each.step === step)?.digest;
  const first = await run(context, unitAt(root, { stopAt: 37 }));
  assert.deepEqual([first.exit.reason, first.entries.at(-1)?.step], ["drained", 37]);
  const second = await run(context, unitAt(root, { stopAt: 37, attempt: 2 }));
  assert.deepEqual([second.exit.reason, second.entries.length], ["drained", first.entries.length]);
  const third = await run(context, unitAt(root, { stopAt: 50, attempt: 3 }));
  assert.equal(third.exit.reason, "drained");
  assert.deepEqual(third.entries.at(-1), { step: 50, digest: digest(50) });
  // The last step of all: its state, and no result.
  const last = await run(context, unitAt(root, { stopAt: 96, attempt: 4 }));
  assert.deepEqual([last.exit.reason, last.entries.at(-1)?.step], ["drained", 96]);
  assert.deepEqual(
    last.entries.find(({ step }) => step === 90),
    { step: 90, digest: digest(90) },
  );
  const beyond = await run(context, unitAt(root, { stopAt: 1000, attempt: 5 }));
  assert.equal(beyond.exit.reason, "done");
});
