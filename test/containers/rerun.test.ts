import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { ContainerExecutor } from "@verai/executor/container";
import { rerunSegment } from "@verai/executor/rerun/segment";
import { tracedRun } from "@verai/executor/rerun/traced-run";
import { verifyUnit } from "@verai/executor/rerun/verify";
import { testUnit } from "@verai/executor/testing";
import { Bench, skip } from "./setup.ts";

let bench: Bench;
let executor: ContainerExecutor;
before(async () => {
  if (skip) return;
  bench = await Bench.start();
  executor = await bench.executor();
});
after(() => (skip ? undefined : bench.stop()));

const log = { warn: () => undefined };
const signal = new AbortController().signal;
const specOf = (fault: string) =>
  bench.spec([fault], {
    command: ["/usr/local/bin/node", "/app/executor/testdata/counts.ts"],
    checkpoint: { intervalSeconds: 60, everySteps: 4 },
  });

test("in containers a program is found reproducible, or where its runs part", { skip }, async () => {
  const verify = async (fault: string) =>
    verifyUnit({
      ...{ executor, spec: specOf(fault), unitIndex: 0, unitCount: 1, log, signal, keepBytes: Infinity },
      root: await mkdtemp(join(bench.directory, "verify-")),
      placeInputs: async (directory) => void (await mkdir(directory, { recursive: true })),
    });
  const honest = await verify("honest");
  assert.deepEqual([honest.reproducible, honest.compared, honest.stoppedAt], [true, 5, 10], JSON.stringify(honest));
  const forgetful = await verify("forgetful");
  assert.deepEqual([forgetful.finding?.kind, forgetful.compared], ["state", 2], JSON.stringify(forgetful));
});

test("in containers a segment that is run again passes through the same states", { skip }, async () => {
  const root = await mkdtemp(join(bench.directory, "segment-"));
  const stored = join(root, "before");
  const run = testUnit(join(root, "one", "unit-0"), specOf("honest"));
  const { exit, entries } = await tracedRun({
    ...{ executor, run, log, signal },
    onEntry: async ({ step }, checkpoint) => {
      if (step === 8) await cp(checkpoint.path, join(stored, "checkpoint", checkpoint.name), { recursive: true });
    },
  });
  assert.equal(exit.reason, "done", exit.detail);
  const again = testUnit(join(root, "two", "unit-0"), specOf("honest"), { leaseId: 9 });
  const outcome = await rerunSegment({
    ...{ executor, run: again, log, signal },
    before: stored,
    end: 16,
    timeoutMs: 120_000,
  });
  assert.deepEqual(
    outcome.kind === "states" && outcome.leaves,
    entries.filter(({ step }) => step > 8 && step <= 16),
    JSON.stringify(outcome),
  );
});
