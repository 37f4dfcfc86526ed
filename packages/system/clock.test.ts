import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_TIMER_MS, pause, timeoutSignal } from "./clock.ts";

test("a pause longer than a timer can wait lasts until the signal, without spinning", async () => {
  for (const ms of [MAX_TIMER_MS + 1, 30 * 86_400_000, Infinity]) {
    const stop = new AbortController();
    let over = false;
    const waiting = pause(ms, stop.signal).then(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(over, false, `${String(ms)} ms`);
    stop.abort();
    await waiting;
  }
});

test("a pause ends when its time is over, or at once where there is none", async () => {
  const began = performance.now();
  await pause(15);
  assert.ok(performance.now() - began >= 14);
  await pause(-1);
  await pause(1000, AbortSignal.abort());
  assert.ok(performance.now() - began < 900);
  await assert.rejects(pause(Number.NaN), /NaN/);
});

test("a time-out too long for a timer is neither refused nor fires at once", async () => {
  const long = [timeoutSignal(5e9), timeoutSignal(2 ** 31), timeoutSignal(Infinity)];
  const short = timeoutSignal(1);
  await new Promise((resolve) => short.addEventListener("abort", resolve));
  assert.deepEqual(
    long.map(({ aborted }) => aborted),
    [false, false, false],
  );
});
