import assert from "node:assert/strict";
import { test } from "node:test";

import type { RpcUnavailableError } from "../errors.ts";
import { Gate } from "./rpc-gate.ts";

/** Lets everything that is due happen. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function counted(gate: Gate, count: number) {
  const entered = { count: 0, failed: 0 };
  for (let i = 0; i < count; i++) {
    gate.enter().then(
      () => (entered.count += 1),
      () => (entered.failed += 1),
    );
  }
  return entered;
}

test("no more than so many are on their way, in the order in which they came", async () => {
  const gate = new Gate({ maxInFlight: 2, pauseMs: 10 });
  const order: number[] = [];
  for (let i = 0; i < 5; i++) void gate.enter().then(() => order.push(i));
  await settle();
  assert.deepEqual(order, [0, 1]);
  gate.leave();
  await settle();
  assert.deepEqual(order, [0, 1, 2]);
  gate.leave();
  gate.leave();
  await settle();
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});

test("a refusal pauses all, once for those that were on their way together, and slows down", async () => {
  const gate = new Gate({ maxInFlight: 8, pauseMs: 1000 });
  for (let i = 0; i < 50; i++) gate.served();
  assert.equal(gate.rate, Infinity);
  gate.refused();
  const pause = gate.pauseMs;
  assert.ok(pause > 700 && pause <= 1250, String(pause));
  assert.equal(gate.rate, 40, "four fifths of what was served within a second");
  gate.refused();
  assert.equal(gate.rate, 40);
  assert.ok(gate.pauseMs <= pause);
  const waiting = counted(gate, 1);
  await settle();
  assert.equal(waiting.count, 0);
  gate.fail(new Error("the end"));
  await settle();
  assert.equal(waiting.failed, 1);
});

test("a pause that the endpoint asks for is kept, one of a day fails at once", async () => {
  const gate = new Gate({ maxInFlight: 1, pauseMs: 10 });
  gate.refused(20_000);
  assert.ok(gate.pauseMs > 19_000);
  gate.refused(86_400_000);
  assert.ok(gate.pauseMs <= 600_000);
  await assert.rejects(gate.enter(), (error: RpcUnavailableError) => {
    assert.equal(error.reason, "throttled");
    assert.match(error.message, /a pause of 600 s/);
    return true;
  });
});

test("what waits is bounded", async () => {
  const gate = new Gate({ maxInFlight: 0, pauseMs: 10 });
  const waiting = counted(gate, 20_001);
  await settle();
  assert.deepEqual(waiting, { count: 0, failed: 1 });
  gate.fail(new Error("the end"));
});

test("so many begin in any second, all at once if need be, and fewer than one a second also take their turns", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 10_000;
  context.mock.method(performance, "now", () => now);
  const pass = async (ms: number) => {
    now += ms;
    context.mock.timers.tick(ms);
    await settle();
  };
  const gate = new Gate({ maxInFlight: 100, maxPerSecond: 5, pauseMs: 10 });
  const waiting = counted(gate, 20);
  await settle();
  assert.equal(waiting.count, 5);
  await pass(999);
  assert.equal(waiting.count, 5);
  await pass(1);
  assert.equal(waiting.count, 10);
  // A process that was busy for three seconds has missed its turns of one.
  await pass(3_000);
  assert.equal(waiting.count, 15);
  await pass(1_000);
  assert.equal(waiting.count, 20);

  const slow = new Gate({ maxInFlight: 100, maxPerSecond: 0.5, pauseMs: 10 });
  const few = counted(slow, 3);
  await settle();
  assert.equal(few.count, 1);
  await pass(1_999);
  assert.equal(few.count, 1);
  await pass(1);
  assert.equal(few.count, 2);
});
