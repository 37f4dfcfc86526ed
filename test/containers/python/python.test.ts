import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";

import { newestCheckpoint } from "@verai/executor/checkpoints";
import { ContainerExecutor } from "@verai/executor/container";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import { EVERY, QUORUM, type Result, ROUNDS, trainOneModel, UNITS } from "./diloco.ts";
import { IMAGE, PythonImage, ROOT, skip } from "./image.ts";

let image: PythonImage | undefined;
let executor: ContainerExecutor | undefined;

before(async () => {
  if (skip) return;
  image = await PythonImage.build();
  executor = await ContainerExecutor.open({
    directory: join(image.directory, "executor"),
    socket: image.engine.socket,
    // The image's entry point takes a program, where that of the built-in trainers takes a trainer's name.
    trainerImage: IMAGE,
    trainers: ["python3"],
  });
});
after(async () => {
  await executor?.close();
  await image?.stop();
});

test("what failed in a bare container works", { skip }, async (context) => {
  const { running, result } = await start(context, ["test/containers/python/probe.py"], []);
  const exit = await running.exited;
  assert.equal(exit.reason, "done", await running.logTail(4000));
  assert.deepEqual(JSON.parse(await result()), {
    user: ["unit", "unit", "/tmp"],
    host: "127.0.0.1",
    init: true,
    library: 7,
    threads: [1, 1],
    batches: 0 + 1 + 2 + 3,
    compiled: 20,
    cache: true,
  });
});

test("the example in PyTorch: drained, resumed, and the same bits", { skip }, async (context) => {
  const example = ["python/examples/plain_pytorch.py"];
  const alone = await start(context, example, []);
  assert.equal((await alone.running.exited).reason, "done", await alone.running.logTail(4000));

  const { unit, running, result } = await start(context, example, ["--pace", "50"]);
  await until("it has trained a little", async () => (await running.logTail(5000)).includes("step 23 "));
  const { reason, code } = await running.drain(20);
  assert.deepEqual([reason, code], ["drained", 143], await running.logTail(4000));
  const newest = await newestCheckpoint(unit.folder.checkpoint);
  assert.ok(newest && newest.number >= 23 && newest.number < 128, newest?.name);
  const again = await opened().start({ ...unit, attempt: 2 });
  context.after(() => again.kill());
  assert.equal((await again.exited).reason, "done", await again.logTail(4000));
  assert.match(await again.logTail(20_000), new RegExp(`starts at step ${String(newest.number)} of 128`));
  assert.equal(await result(), await alone.result());
});

test(
  "DiLoCo on four nodes: machines fail, and all units end with the bits of an undisturbed run",
  { skip },
  async (context) => {
    const { engine, docker } = built();
    const { reference } = await built().publish();
    const { results, members } = await trainOneModel(reference, engine.socket, docker);

    // All units have one model, of all rounds, though there were rounds without one of them.
    assert.equal(results.length, UNITS);
    assert.equal(new Set(results.map(({ sha256 }) => sha256)).size, 1, JSON.stringify(results));
    assert.ok(results.every(({ rounds }) => rounds === ROUNDS));
    assert.equal(members.length, ROUNDS);
    assert.ok(
      members.some((units) => units.length < UNITS && units.length >= QUORUM),
      JSON.stringify(members),
    );
    assert.ok(
      members.some((units) => units.length === UNITS),
      JSON.stringify(members),
    );

    // The same rounds in one undisturbed process, and one machine alone that was given the same samples.
    const programs = ["python/tests/frameworks/replay.py", "python/examples/diloco.py"];
    const told = JSON.stringify({ members, every: EVERY, units: UNITS });
    const { running, result } = await start(context, programs, [told]);
    assert.equal((await running.exited).reason, "done", await running.logTail(4000));
    const { replayed, alone } = JSON.parse(await result()) as Record<"replayed" | "alone", Result>;
    assert.equal(results[0]?.sha256, replayed.sha256);
    const lost = alone.accuracy - (results[0]?.accuracy ?? 0);
    context.diagnostic(`accuracy ${String(results[0]?.accuracy)}, of one machine ${String(alone.accuracy)}`);
    assert.ok(lost <= 0.005, String(lost));
  },
);

function built(): PythonImage {
  assert.ok(image);
  return image;
}

function opened(): ContainerExecutor {
  assert.ok(executor);
  return executor;
}

/** Starts the first of these programs of this repository as a unit; the others lie beside it. */
async function start(context: TestContext, programs: readonly string[], args: readonly string[]) {
  const root = await mkdtemp(join(built().directory, "unit-"));
  const spec = testSpec({
    trainer: "python3",
    args: [`/verai/input/${basename(programs[0] ?? "")}`, ...args],
    resources: { cpus: 1, memoryMiB: 2048, ephemeralMiB: 512, shmMiB: 256 },
    timeouts: { unitSeconds: 600, graceSeconds: 20 },
  });
  const unit = testUnit(root, spec);
  await mkdir(unit.folder.input, { recursive: true });
  for (const each of programs) await copyFile(join(ROOT, each), join(unit.folder.input, basename(each)));
  const running = await opened().start(unit);
  context.after(() => running.kill());
  return { unit, running, result: () => readFile(join(unit.folder.output, "result.json"), "utf8") };
}
