import assert from "node:assert/strict";
import { test } from "node:test";

import type { RunningUnit, UnitExit } from "./executor.ts";
import { boundedUnit, DeadlineError, settles, withDeadline } from "./time-outs.ts";

function unit(exited: Promise<UnitExit>): RunningUnit {
  return {
    id: "unit",
    exited,
    drain: async () => exited,
    kill: async () => exited,
    cpuSeconds: () => 3,
    logTail: async () => Promise.resolve(""),
  };
}

test("a unit that never ends is lost in bounded time after a kill, and after the grace of a drain", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const killed = boundedUnit(unit(new Promise(() => undefined)), 5).kill();
  context.mock.timers.tick(5000);
  assert.deepEqual([(await killed).reason, (await killed).cpuSeconds], ["lost", 3]);
  const draining = boundedUnit(unit(new Promise(() => undefined)), 5);
  let reason: string | undefined;
  void draining.drain(20).then((exit) => (reason = exit.reason));
  context.mock.timers.tick(20_000);
  await Promise.resolve();
  assert.equal(reason, undefined, "its grace is not over");
  context.mock.timers.tick(5000);
  assert.equal((await draining.exited).reason, "lost");
});

test("a unit that ends is what it is", async () => {
  const exit: UnitExit = { reason: "drained", code: 143, cpuSeconds: 1, detail: "" };
  const bounded = boundedUnit(unit(Promise.resolve(exit)), 5);
  assert.deepEqual(await bounded.kill(), exit);
  assert.deepEqual(await bounded.drain(1), exit);
});

test("a call ends at its deadline, its signal is aborted, and an answer that comes too late harms nobody", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let seen: AbortSignal | undefined;
  const late = Promise.withResolvers<never>();
  const call = withDeadline(
    (signal) => {
      seen = signal;
      return late.promise;
    },
    1500,
    "The engine",
  );
  context.mock.timers.tick(1500);
  await assert.rejects(
    call,
    (error) => error instanceof DeadlineError && /The engine did not answer within 1\.5 s/.test(error.message),
  );
  assert.equal(seen?.aborted, true);
  late.reject(new Error("too late"));
  assert.equal(await withDeadline(async () => Promise.resolve(7), 1500, "The engine"), 7);
});

test("settling is waited for no longer than told, and a rejection settles", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const waiting = settles(new Promise(() => undefined), 100);
  context.mock.timers.tick(100);
  assert.equal(await waiting, false);
  assert.equal(await settles(Promise.reject(new Error("x")), 100), true);
});
