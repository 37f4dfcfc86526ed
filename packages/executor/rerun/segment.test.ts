import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ProcessExecutor } from "../process.ts";
import { temporaryDirectory, testSpec, testUnit } from "../testing.ts";
import { DONE_STEP } from "../trace/segment.ts";
import { rerunSegment, type SegmentOptions } from "./segment.ts";
import { tracedRun } from "./traced-run.ts";

const counts = { entry: fileURLToPath(new URL("../testdata/counts.ts", import.meta.url)), readable: [] };
const executor = new ProcessExecutor({ trainers: new Map([["counts", counts]]) });
const spec = (fault = "honest") =>
  testSpec({ trainer: "counts", args: [fault], checkpoint: { intervalSeconds: 60, everySteps: 4 } });
const common = { executor, log: { warn: () => undefined }, signal: AbortSignal.any([]) };

/** What a node posts: the states after 8 steps and at the end, and the digests of all. */
async function produced(context: TestContext) {
  const root = await temporaryDirectory(context);
  const before = join(root, "before");
  const run = testUnit(join(root, "unit-0"), spec());
  const { entries } = await tracedRun({
    ...common,
    run,
    onEntry: async ({ step }, checkpoint) => {
      if (step === 8) await cp(checkpoint.path, join(before, "checkpoint", checkpoint.name), { recursive: true });
    },
  });
  return { before, entries };
}

async function again(context: TestContext, changes: Partial<SegmentOptions>, fault?: string) {
  const root = await temporaryDirectory(context);
  const run = testUnit(join(root, "unit-0"), spec(fault), { leaseId: 9 });
  return rerunSegment({ ...common, run, before: undefined, end: 16, timeoutMs: 60_000, ...changes });
}

test("a segment that is run again passes through the very states that its node posted", async (context) => {
  const { before, entries } = await produced(context);
  const middle = await again(context, { before });
  assert.deepEqual(middle.kind === "states" && [middle.from, middle.leaves], [
    8,
    entries.filter(({ step }) => step > 8 && step <= 16),
  ]);
  const first = await again(context, { end: 10 });
  assert.deepEqual(first.kind === "states" && first.leaves.map(({ step }) => step), [4, 8, 10]);
  assert.deepEqual(first.kind === "states" && first.leaves.slice(0, 2), entries.slice(0, 2));
  const last = await again(context, { before, end: DONE_STEP });
  const whole = await again(context, { end: DONE_STEP });
  assert.ok(last.kind === "states" && whole.kind === "states");
  assert.deepEqual(
    last.leaves.map(({ step }) => step),
    [12, 16, 20, DONE_STEP],
  );
  assert.deepEqual(whole.leaves.slice(-4), last.leaves);
});

test("from another state it comes to another end", async (context) => {
  const { before, entries } = await produced(context);
  const state = join(before, "checkpoint", "checkpoint-000000008", "state.json");
  await writeFile(state, (await readFile(state, "utf8")).replace("204", "205"));
  const outcome = await again(context, { before });
  assert.ok(outcome.kind === "states");
  assert.notDeepEqual(
    outcome.leaves.at(-1),
    entries.find(({ step }) => step === 16),
  );
});

test("what is none of the program's checkpoints is unusable", async (context) => {
  const { before } = await produced(context);
  const why = async (changes: Partial<SegmentOptions>, fault?: string) => {
    const outcome = await again(context, changes, fault);
    assert.equal(outcome.kind, "unusable");
    return "why" in outcome ? outcome.why : "";
  };
  assert.match(await why({ before, end: 8 }), /ends at step 8, not after its beginning at step 8/);
  assert.match(await why({ before, end: 999 }), /ended as done .* after step 20/);
  assert.match(await why({}, "fails"), /ended as failed \(exit code 3\)/);
  assert.match(await why({ end: 20 }, "skips"), /no checkpoint after step 12/);
  const empty = await temporaryDirectory(context);
  assert.match(await why({ before: empty }), /has no checkpoint/);
  await mkdir(join(before, "checkpoint", "checkpoint-000000009"));
  assert.match(await why({ before }), /more than one checkpoint/);
});

test("what cannot be run in time, or is called off, says nothing of the segment", async (context) => {
  const slow = await again(context, { timeoutMs: 1 });
  assert.deepEqual(slow, { kind: "failed", why: "it took longer than 0.001 s" });
  const controller = new AbortController();
  const off = again(context, { signal: controller.signal });
  controller.abort(new Error("called off"));
  await assert.rejects(off, /called off/);
});
