import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { treeCid } from "@verai/checkpoint-store/tree-cid";
import { checkpointName, pruneCheckpoints, writeCheckpointAtomically } from "@verai/executor/checkpoints";
import { digestOf, doneCid, stateCid } from "@verai/executor/trace/state";
import { TraceFile } from "@verai/executor/trace/trace-file";
import { adoptCheckpoint, bundleCheckpoint, bundleResult, leaseProgress } from "./bundle.ts";
import { basisByTime } from "./progress.ts";
import { tracePath } from "./tracing.ts";
import { Workspace } from "./workspace.ts";

async function workspace(context: TestContext): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), "drmp-bundle-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  return new Workspace(root);
}

test("progress is what complete checkpoints and outputs hold", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  assert.deepEqual(await leaseProgress(folder, 4, 3), { total: 0, unitsDone: 0, fresh: false });
  const unit = await folder.unit(4);
  await writeCheckpointAtomically(unit.checkpoint, 7, { weights: "w" }, 0.25);
  await mkdir(join(unit.checkpoint, "checkpoint-000000008.tmp"));
  await folder.unit(5);
  await folder.markDone(5);
  assert.deepEqual(await leaseProgress(folder, 4, 3), { total: 12_500, unitsDone: 1, fresh: true, stated: 12_500 });
});

test("a unit that is not done never counts as done, whatever it says", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  await writeCheckpointAtomically((await folder.unit(0)).checkpoint, 1, {}, 1);
  assert.deepEqual(await leaseProgress(folder, 0, 1), { total: 9_500, unitsDone: 0, fresh: true, stated: 10_000 });
});

test("a program that says nothing counts for its part of the time, one that says something for that", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  await writeFile(join((await folder.unit(0)).checkpoint, checkpointName(1)), "");
  await writeCheckpointAtomically((await folder.unit(1)).checkpoint, 1, {}, 0.1);
  const bundle = await bundleCheckpoint(folder, 0, 2, 0, Infinity, basisByTime(21_600, 86_400));
  assert.equal(bundle.progress, 2_500 + 1_000);
  assert.equal(basisByTime(-1, 60), 0);
  assert.equal(basisByTime(61, 60), 10_000);
  // What it counted for once it never falls below, whatever the clock says.
  await writeFile(join((await folder.unit(0)).checkpoint, checkpointName(2)), "");
  assert.equal((await bundleCheckpoint(folder, 0, 2, 0, Infinity, 0)).progress, 2_501 + 1_000);
});

test("what is bundled is what a successor of part of the range goes on from", async (context) => {
  const space = await workspace(context);
  const folder = space.folder(1, 1);
  await writeCheckpointAtomically((await folder.unit(0)).checkpoint, 3, { weights: "zero" }, 0.5);
  const done = await folder.unit(1);
  await writeFile(join(done.output, "model.bin"), "one");
  await folder.markDone(1);
  await writeCheckpointAtomically((await folder.unit(2)).checkpoint, 1, { weights: "two" }, 0.1);
  const bundle = await bundleCheckpoint(folder, 0, 3);
  assert.equal(bundle.progress, 5_000 + 10_000 + 1_000);

  const successor = space.folder(2, 2);
  assert.equal(await adoptCheckpoint(successor, 1, 2, bundle.path), 2);
  assert.deepEqual(await leaseProgress(successor, 1, 2), { total: 11_000, unitsDone: 1, fresh: true, stated: 11_000 });
  const { checkpoint } = await successor.unit(2);
  assert.equal(await readFile(join(checkpoint, "checkpoint-000000001", "weights"), "utf8"), "two");
  assert.ok(!(await readdir(successor.path)).includes("unit-0"));
});

test("a unit's state has a CID that follows from its checkpoint alone, and the posted checkpoint names it", async (context) => {
  const space = await workspace(context);
  const content = { weights: Buffer.alloc(1_500_000, 3) };
  const bundled = async (leaseId: number, log: string) => {
    const folder = space.folder(leaseId, 1);
    const unit = await folder.unit(2);
    await writeFile(unit.log, log);
    await writeCheckpointAtomically((await folder.unit(leaseId + 2)).checkpoint, leaseId, {}, 0.1);
    const saved = await writeCheckpointAtomically(unit.checkpoint, 40, content, 0.5);
    const { path } = await bundleCheckpoint(folder, 2, 3);
    const root = await treeCid(path);
    const state = await treeCid(join(path, "unit-2"));
    assert.equal(digestOf(await stateCid(saved, join(folder.path, "scratch"))), digestOf(state));
    return { root: root.toString(), state: state.toString() };
  };
  const [one, two] = [await bundled(1, "here"), await bundled(2, "there, at noon")];
  assert.notEqual(one.root, two.root);
  assert.equal(one.state, two.state);

  const folder = space.folder(3, 1);
  const unit = await folder.unit(2);
  await writeFile(join(unit.output, "model.bin"), "w");
  await folder.markDone(2);
  const { path } = await bundleCheckpoint(folder, 2, 1);
  const done = await doneCid(unit.output, join(folder.path, "scratch"));
  assert.equal((await treeCid(join(path, "unit-2"))).toString(), done.toString());
});

test("where digests are kept, what is posted is a checkpoint whose digest is; and it names what the lease went on from", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  const unit = await folder.unit(0);
  const lease = { leaseId: 1, fence: 1, taskId: 1, start: 0, count: 1 };
  await folder.remember({ ...lease, restored: true, origin: "bafy" });
  for (const step of [10, 20]) await writeCheckpointAtomically(unit.checkpoint, step, { weights: String(step) }, 0.5);
  const trace = await TraceFile.open(tracePath(unit));
  await trace.add({ step: 10, digest: `0x${"1".repeat(64)}` });
  await trace.close();
  const { path } = await bundleCheckpoint(folder, 0, 1);
  assert.deepEqual(await readdir(join(path, "unit-0", "checkpoint")), ["checkpoint-000000010"]);
  assert.equal(await readFile(join(path, "origin"), "utf8"), "bafy\n");
  assert.equal((await leaseProgress(folder, 0, 1)).fresh, false);
});

test("adopting twice, as after a crash in between, leaves the same", async (context) => {
  const space = await workspace(context);
  const folder = space.folder(1, 1);
  await writeCheckpointAtomically((await folder.unit(0)).checkpoint, 3, { weights: "zero" }, 0.5);
  const bundle = await bundleCheckpoint(folder, 0, 1);
  const successor = space.folder(2, 2);
  await adoptCheckpoint(successor, 0, 1, bundle.path);
  await adoptCheckpoint(successor, 0, 1, bundle.path);
  assert.deepEqual(await readdir((await successor.unit(0)).checkpoint), ["checkpoint-000000003"]);
});

test("a result holds every unit's output, and refuses links", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  const unit = await folder.unit(0);
  await writeFile(join(unit.output, "model.bin"), "model");
  const path = await bundleResult(folder, 0, 1);
  assert.equal(await readFile(join(path, "unit-0", "model.bin"), "utf8"), "model");
  await symlink("/etc/hostname", join(unit.output, "leak"));
  await assert.rejects(bundleResult(folder, 0, 1), /absolute link/);
});

test("a checkpoint carries the end of each unit's log, and a successor passes it over", async (context) => {
  const space = await workspace(context);
  const folder = space.folder(1, 1);
  const unit = await folder.unit(0);
  await writeFile(unit.log, `${"x".repeat(70_000)}the end`);
  await writeCheckpointAtomically(unit.checkpoint, 1, { weights: "w" }, 0.5);
  await folder.unit(1);
  const { path } = await bundleCheckpoint(folder, 0, 2);
  const log = await readFile(join(path, "logs", "unit-0.log"), "utf8");
  assert.equal(log.length, 65_536);
  assert.ok(log.endsWith("xthe end"));
  assert.deepEqual(await readdir(join(path, "logs")), ["unit-0.log"]);
  assert.equal(await adoptCheckpoint(space.folder(2, 2), 0, 2, path), 1);
});

test("numbers by optimiser step, without progress.json: progress grows with each checkpoint, and stays below the end", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  const { checkpoint } = await folder.unit(0);
  let reached = 0;
  for (const step of [500, 9_998, 9_999, 10_000, 10_001, 999_999_999]) {
    await mkdir(join(checkpoint, checkpointName(step)));
    assert.equal((await leaseProgress(folder, 0, 1)).fresh, true);
    const { progress } = await bundleCheckpoint(folder, 0, 1, reached);
    assert.ok(progress > reached && progress < 10_000, `${String(progress)} after ${String(reached)}`);
    reached = progress;
    assert.deepEqual(await leaseProgress(folder, 0, 1), { total: reached, unitsDone: 0, fresh: false });
    assert.equal((await bundleCheckpoint(folder, 0, 1, 0)).progress, reached, "the same checkpoint counts the same");
  }
});

test("units of a lease count each by itself, and on top of what the chain has", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  const one = (await folder.unit(0)).checkpoint;
  const two = (await folder.unit(1)).checkpoint;
  await mkdir(join(one, checkpointName(30_000)));
  const first = await bundleCheckpoint(folder, 0, 2);
  assert.equal(first.progress, 1, "a high number does not count for the other unit");
  await mkdir(join(two, checkpointName(1)));
  assert.equal((await bundleCheckpoint(folder, 0, 2, first.progress)).progress, 2);
  // What was noted is lost: the chain's progress is what has to be passed.
  await writeFile(join(folder.path, "counted.json"), "{ damaged");
  assert.equal((await bundleCheckpoint(folder, 0, 2, 700)).progress, 701);
});

test("while a program writes checkpoints and deletes old ones, each bundle holds a whole one", async (context) => {
  const folder = (await workspace(context)).folder(1, 1);
  const { checkpoint } = await folder.unit(0);
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`part-${String(i)}`, "weights"]));
  await writeCheckpointAtomically(checkpoint, 1, files, 0);
  let writing = true;
  const written = (async () => {
    for (let number = 2; writing; number++) {
      await writeCheckpointAtomically(checkpoint, number, files, 0);
      await pruneCheckpoints(checkpoint, 1);
    }
  })();
  try {
    for (let i = 0; i < 40; i++) {
      const { path } = await bundleCheckpoint(folder, 0, 1);
      const bundled = join(path, "unit-0", "checkpoint");
      const names = await readdir(bundled);
      assert.equal(names.length, 1);
      const held = await readdir(join(bundled, names[0] ?? ""));
      assert.deepEqual(held.sort(), [...Object.keys(files), "progress.json"].sort());
    }
  } finally {
    writing = false;
    await written;
  }
});
