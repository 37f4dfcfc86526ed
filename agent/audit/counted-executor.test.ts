import assert from "node:assert/strict";
import { test } from "node:test";

import type { RunningUnit, UnitExit, UnitRun } from "@verai/executor/executor";
import { CountedExecutor } from "./counted-executor.ts";

test("what is run again is counted while it runs and when it has ended, and never less", async () => {
  const started: { seconds: number; end: (exit: UnitExit) => void }[] = [];
  const counted = new CountedExecutor({
    refusal: (spec) => spec.trainer,
    start: () => {
      const { promise, resolve } = Promise.withResolvers<UnitExit>();
      const unit = { seconds: 0, end: resolve };
      started.push(unit);
      const running: Partial<RunningUnit> = { exited: promise, cpuSeconds: () => unit.seconds };
      return Promise.resolve(running as RunningUnit);
    },
  });
  const run = {} as UnitRun;
  await counted.start(run);
  await counted.start(run);
  const [one, other] = started;
  assert.ok(one && other);
  assert.deepEqual([counted.unitsRunning, counted.cpuSeconds()], [2, 0]);
  [one.seconds, other.seconds] = [3, 4];
  assert.equal(counted.cpuSeconds(), 7);
  // A cgroup that is gone, or cannot be read.
  [one.seconds, other.seconds] = [0, NaN];
  assert.equal(counted.cpuSeconds(), 7);
  one.end({ reason: "drained", code: 0, cpuSeconds: 5, detail: "" });
  other.end({ reason: "lost", code: 1, cpuSeconds: 0, detail: "" });
  await new Promise(setImmediate);
  assert.deepEqual([counted.unitsRunning, counted.cpuSeconds()], [0, 9]);
});
