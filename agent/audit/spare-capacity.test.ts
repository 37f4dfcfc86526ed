import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import PQueue from "p-queue";

import { SpareCapacity } from "./spare-capacity.ts";

const forever = (signal: AbortSignal): Promise<never> =>
  once(signal, "abort").then(() => {
    throw signal.reason;
  });

test("an audit makes room for a lease's unit and goes on when there is room again", async () => {
  const places = new PQueue({ concurrency: 1 });
  const spare = new SpareCapacity(places);
  let begun = 0;
  const audit = spare.run(async (signal) => {
    begun += 1;
    return begun === 1 ? forever(signal) : "answer";
  }, AbortSignal.timeout(20_000));
  await sleep(10);
  assert.equal(begun, 1);
  let ended: (() => void) | undefined;
  const unit = places.add(() => new Promise<void>((resolve) => (ended = resolve)));
  await sleep(300);
  // The unit runs, and the audit waits.
  assert.deepEqual([places.pending, begun], [1, 1]);
  ended?.();
  await unit;
  assert.equal(await audit, "answer");
  assert.equal(begun, 2);
});

test("it waits while units want all places, and no longer than it may", async () => {
  const places = new PQueue({ concurrency: 1 });
  const spare = new SpareCapacity(places);
  let end: (() => void) | undefined;
  void places.add(() => new Promise<void>((resolve) => (end = resolve)));
  await assert.rejects(
    spare.run(async () => assert.fail("no room"), AbortSignal.timeout(50)),
    { name: "TimeoutError" },
  );
  end?.();
});

test("two audits have two places, and what they throw is theirs", async () => {
  const spare = new SpareCapacity(new PQueue({ concurrency: 2 }));
  const stop = new AbortController();
  const one = spare.run(forever, stop.signal);
  await assert.rejects(
    spare.run(async () => {
      throw new Error("full disk");
    }, stop.signal),
    /full disk/,
  );
  stop.abort(new Error("over"));
  await assert.rejects(one, /over/);
});
