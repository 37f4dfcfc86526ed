import assert from "node:assert/strict";
import { test } from "node:test";

import { type CollectEvent, type CollectOptions, collectReceipts, TooFewReceiptsError } from "./collect.ts";
import type { ReceiptAnswer } from "./protocol.ts";

const receipt = (nodeId: number): ReceiptAnswer => ({ kind: "receipt", nodeId, signature: `0x${String(nodeId)}` });

/** Holders that answer by their scripts, the last answer again and again. */
function holders(scripts: Record<number, (ReceiptAnswer | Error)[]>, changes: Partial<CollectOptions> = {}) {
  const asked: number[] = [];
  const events: CollectEvent[] = [];
  const options: CollectOptions = {
    ask: (nodeId) => {
      asked.push(nodeId);
      const script = scripts[nodeId] ?? [];
      const answer = (script.length > 1 ? script.shift() : script[0]) ?? new Error("not reached");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    verify: () => true,
    order: Object.keys(scripts).map(Number),
    needed: 1,
    stallMs: 5,
    pauseMs: 1,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...changes,
  };
  return { options, asked, events };
}

test("asks in order, no more than needed, and returns receipts by ascending node id", async () => {
  const { options, asked } = holders(
    { 1: [receipt(1)], 2: [receipt(2)], 3: [receipt(3)] },
    { order: [3, 1, 2], needed: 2 },
  );
  const got = await collectReceipts(options);
  assert.deepEqual(
    got.map(({ nodeId }) => nodeId),
    [1, 3],
  );
  assert.deepEqual(asked, [3, 1]);
});

test("who is not reached, refuses, or signs for another is passed over for the next", async () => {
  const { options, events } = holders(
    { 1: [new Error("not reached")], 2: [{ kind: "refused", why: "no room" }], 3: [receipt(9)], 4: [receipt(4)] },
    { order: [1, 2, 3, 4] },
  );
  assert.deepEqual(
    (await collectReceipts(options)).map(({ nodeId }) => nodeId),
    [4],
  );
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "passed over" ? [event.why] : [])),
    ["not reached", "no room", "its signature is not its own"],
  );
});

test("a copy that moves is waited for, one that does not is given up", async () => {
  const copying = (bytes: number): ReceiptAnswer => ({ kind: "copying", bytes, total: 30 });
  const moving = holders({ 1: [copying(0), copying(10), copying(20), receipt(1)] });
  assert.equal((await collectReceipts(moving.options)).length, 1);
  const stuck = holders({ 1: [copying(10)], 2: [receipt(2)] });
  assert.deepEqual(
    (await collectReceipts(stuck.options)).map(({ nodeId }) => nodeId),
    [2],
  );
  assert.ok(stuck.asked.filter((id) => id === 1).length > 1);
});

test("too few receipts say what each node answered", async () => {
  const { options } = holders({ 1: [receipt(1)], 2: [{ kind: "refused", why: "no room" }] }, { needed: 2 });
  await assert.rejects(collectReceipts(options), (error: unknown) => {
    assert.ok(error instanceof TooFewReceiptsError);
    assert.match(error.message, /1 of 2 receipts collected \(node 2: no room\)/);
    return true;
  });
  const alone = holders({}, { needed: 1 });
  await assert.rejects(collectReceipts(alone.options), /no other node is active/);
});

test("none needed, nobody asked; and it ends with the signal", async () => {
  const { options, asked } = holders({ 1: [receipt(1)] }, { needed: 0 });
  assert.deepEqual(await collectReceipts(options), []);
  assert.deepEqual(asked, []);
  const stop = new AbortController();
  const endless = holders({ 1: [{ kind: "copying", bytes: 1, total: 2 }] }, { signal: stop.signal, stallMs: 60_000 });
  const gathering = collectReceipts(endless.options);
  setTimeout(() => {
    stop.abort(new Error("leaving"));
  }, 10);
  await assert.rejects(gathering, /leaving/);
});
