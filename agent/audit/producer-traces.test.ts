import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeCheckpointAtomically } from "@verai/executor/checkpoints";
import { DONE_STEP } from "@verai/executor/trace/segment";
import { probeAt, unitAt } from "@verai/protocol/audits/draws";
import { rootOfOpening } from "@verai/protocol/audits/trace";
import { traceUnit } from "../lease/tracing.ts";
import { Workspace } from "../lease/workspace.ts";
import { ProducerTraces, segmentTrace } from "./producer-traces.ts";

const salt = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const digest = (n: number) => `0x${n.toString(16).padStart(64, "1")}`;

async function lease(context: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "drmp-traces-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const folder = new Workspace(join(root, "leases")).folder(4, 1);
  const options = { seal: undefined, maxBytes: 1e9, log: { warn: () => undefined } };
  /** The unit's program writes checkpoints at these steps. */
  const work = async (unit: number, ...steps: number[]) => {
    const at = await folder.unit(unit);
    const tracing = await traceUnit(at, options);
    for (const step of steps) {
      await writeCheckpointAtomically(at.checkpoint, step, { weights: `${String(unit)} ${String(step)}` }, 0.5);
      await tracing.settle();
    }
    await tracing.stop();
    return at;
  };
  return { root, folder, work, traces: new ProducerTraces(join(root, "traces")) };
}

test("each posted segment has the states since the one before, of units that changed, and can be opened when its lease is gone", async (context) => {
  const { folder, work, traces } = await lease(context);
  await work(2, 10, 20, 25);
  await work(3, 10);
  const one = await segmentTrace(
    folder,
    [
      { unit: 3, step: 10 },
      { unit: 2, step: 25 },
    ],
    undefined,
    10,
  );
  assert.ok("root" in one);
  assert.deepEqual(
    one.segment.units.map(({ unit, leaves }) => [unit, leaves.map(({ step }) => step)]),
    [
      [2, [10, 20, 25]],
      [3, [10]],
    ],
  );
  await traces.save(one.root, { ...one.segment, digest: digest(1) });
  const before = await traces.find(one.root);
  const done = await work(2, 30, 40);
  await writeFile(join(done.output, "model"), "m");
  const two = await segmentTrace(
    folder,
    [
      { unit: 2, step: DONE_STEP },
      { unit: 3, step: 10 },
    ],
    before,
    10,
  );
  assert.ok("root" in two);
  assert.deepEqual(
    two.segment.units.map(({ unit, leaves }) => [unit, leaves.map(({ step }) => step)]),
    [[2, [30, 40, DONE_STEP]]],
  );
  assert.deepEqual(
    two.segment.ends.map(({ unit }) => unit),
    [2, 3],
  );
  await traces.save(two.root, { ...two.segment, digest: digest(2) });
  await rm(folder.path, { recursive: true });
  for (const [root, units] of [
    [one.root, one.segment.units],
    [two.root, two.segment.units],
  ] as const) {
    for (const question of [0, 1, 256]) {
      const opened = await traces.open(root, salt(question), question);
      assert.ok(opened);
      const probe = probeAt(salt(question), question, units[unitAt(salt(question), units.length)]?.leaves.length ?? 0);
      assert.equal(rootOfOpening(opened, probe), root);
    }
  }
  assert.equal(await traces.open(salt(9), salt(1), 0), undefined);
  assert.equal(await traces.find("../lease"), undefined);
});

test("a lease that was restored begins its first segment where it was restored", async (context) => {
  const { folder, work } = await lease(context);
  const { checkpoint } = await folder.unit(2);
  await writeCheckpointAtomically(checkpoint, 25, { weights: "restored" }, 0.5);
  await work(2, 30, 40);
  const trace = await segmentTrace(folder, [{ unit: 2, step: 40 }], undefined, 10);
  assert.deepEqual("root" in trace && trace.segment.units[0]?.leaves.map(({ step }) => step), [30, 40]);
  // Posted again at once, nothing has changed.
  const same = await segmentTrace(folder, [{ unit: 2, step: 25 }], undefined, 10);
  assert.deepEqual(same, { incomplete: "no unit's state has changed" });
});

test("units that were restored and have not run yet under the lease have not changed, done or not", async (context) => {
  const { folder, work } = await lease(context);
  await writeCheckpointAtomically((await folder.unit(2)).checkpoint, 25, { weights: "restored" }, 0.5);
  await writeFile(join((await folder.unit(3)).output, "model"), "m");
  await folder.markDone(3);
  await work(4, 10);
  const posted = [
    { unit: 2, step: 25 },
    { unit: 3, step: DONE_STEP },
    { unit: 4, step: 10 },
  ];
  const one = await segmentTrace(folder, posted, undefined, 10);
  assert.ok("root" in one);
  assert.deepEqual(
    one.segment.units.map(({ unit }) => unit),
    [4],
  );
  assert.deepEqual(
    one.segment.ends.map(({ unit }) => unit),
    [2, 3, 4],
  );
  // Then the first of them runs.
  await work(2, 30);
  const two = await segmentTrace(
    folder,
    [{ unit: 2, step: 30 }, ...posted.slice(1)],
    { ...one.segment, digest: digest(1) },
    10,
  );
  assert.ok("root" in two);
  assert.deepEqual(
    two.segment.units.map(({ unit, leaves }) => [unit, leaves.map(({ step }) => step)]),
    [[2, [30]]],
  );
});

test("a trace with a hole is told of", async (context) => {
  const { folder, work } = await lease(context);
  await work(2, 10, 30, 35);
  const trace = await segmentTrace(folder, [{ unit: 2, step: 35 }], undefined, 10);
  assert.deepEqual(trace, { incomplete: "unit 2 has no digest of step 20" });
  const none = await segmentTrace(folder, [{ unit: 2, step: 40 }], undefined, 10);
  assert.deepEqual(none, { incomplete: "unit 2 has no digest of step 40" });
});

test("traces that no audit can ask for any longer are deleted", async (context) => {
  const { root, traces } = await lease(context);
  assert.equal(await traces.prune(60, 1e12), 0);
  await mkdir(join(root, "traces"));
  const leaves = [{ step: 1, digest: digest(1) }];
  for (const n of [1, 2]) await traces.save(salt(n), { digest: digest(n), units: [{ unit: 0, leaves }], ends: [] });
  const { mtimeMs: now } = await stat(join(root, "traces", `${salt(2)}.json`));
  const old = now / 1000 - 120;
  await utimes(join(root, "traces", `${salt(1)}.json`), old, old);
  assert.equal(await traces.prune(60, now), 1);
  assert.equal(await traces.find(salt(1)), undefined);
  assert.ok(await traces.find(salt(2)));
});
