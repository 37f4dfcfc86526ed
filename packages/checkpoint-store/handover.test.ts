import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { Handover } from "./handover.ts";

const never = new AbortController().signal;
const bytes = (value: number) => new Uint8Array(8).fill(value);

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await turn();
  return done;
}

test("what was expected is handed over once, as a copy; what was not is passed over", async () => {
  const handover = new Handover();
  await handover.expect("a", never);
  const shared = bytes(1);
  handover.offer("a", shared);
  handover.offer("b", bytes(2));
  shared.fill(9);
  assert.deepEqual(Uint8Array.from(handover.take("a") ?? []), bytes(1));
  assert.equal(handover.take("a"), undefined);
  assert.equal(handover.take("b"), undefined);
  // What the writer has had is not held again, nor waited for.
  await handover.expect("a", never);
  handover.offer("a", bytes(1));
  assert.equal(handover.take("a"), undefined);
});

test("a writer that is busy holds the fetch back at sixteen blocks; one that waits, or has ended, does not", async () => {
  const handover = new Handover();
  for (let i = 0; i < 16; i++) await handover.expect(`${String(i)}`, never);
  for (let i = 0; i < 15; i++) handover.offer(`${String(i)}`, bytes(i));
  const next = handover.expect("next", never);
  assert.equal(await isDone(next), false);
  handover.take("0");
  assert.equal(await isDone(next), true);
  const waits = handover.expect("more", never);
  assert.equal(await isDone(waits), false);
  const arrival = handover.arrival("15");
  assert.equal(await isDone(waits), true);
  handover.offer("15", bytes(15));
  await arrival;
  assert.ok(handover.take("15"));
  const held = handover.expect("last", never);
  assert.equal(await isDone(held), false);
  handover.end();
  assert.equal(await isDone(held), true);
  assert.equal(handover.take("1"), undefined, "memory is given back");
});

test("who waits for a block hears of it before it is stored, and of its failure", async () => {
  const handover = new Handover();
  const stored = Promise.withResolvers<undefined>();
  const early = handover.arrival("a", stored.promise);
  assert.equal(await isDone(early), false);
  handover.offer("a", bytes(1));
  await early;
  assert.ok(handover.take("a"));
  stored.reject(new Error("disk full"));
  await turn();
  await assert.rejects(handover.arrival("b", Promise.reject(new Error("nobody has it"))), /nobody has it/);
  // It was stored without having come this way: it is read from there.
  await handover.arrival("c", Promise.resolve(8));
  assert.equal(handover.take("c"), undefined);
  await handover.expect("d", never);
  const passed = handover.arrival("d");
  handover.pass("d");
  await passed;
});

test("who is held back is released by the signal", async () => {
  const handover = new Handover();
  for (let i = 0; i < 16; i++) await handover.expect(`${String(i)}`, never);
  const gone = new AbortController();
  const held = handover.expect("next", gone.signal);
  gone.abort(new Error("stopped"));
  await assert.rejects(held, /stopped/);
});
