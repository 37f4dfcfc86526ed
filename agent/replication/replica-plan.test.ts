import assert from "node:assert/strict";
import { test } from "node:test";

import { type Held, missing, superfluous, type Wanted, wantedOf } from "./replica-plan.ts";

const digest = (byte: number) => `0x${byte.toString(16).padStart(2, "0").repeat(32)}`;
const checkpoint = (byte: number) => ({
  codec: 0x70,
  digest: digest(byte),
  size: byte * 100,
  progress: byte,
  at: byte,
  sequence: byte,
  startedAt: 0,
});
const want = (leaseId: number, ...cids: string[]): [number, Wanted[]] => [
  leaseId,
  cids.map((cid) => ({ leaseId, cid, size: 10 })),
];
const here = (leaseId: number, ...cids: string[]): Held[] => cids.map((cid) => ({ leaseId, cid }));

test("wanted are a lease's result and its newest two checkpoints, with the sizes that the chain has", () => {
  const result = { codec: 0x70, digest: digest(9), size: 77, deliveredAt: 5, bond: 0 };
  const newest = [checkpoint(3), checkpoint(2), checkpoint(1)];
  assert.deepEqual(
    wantedOf({ id: 4, status: "delivered", result }, newest).map(({ leaseId, size }) => [leaseId, size]),
    [
      [4, 77],
      [4, 300],
      [4, 200],
    ],
  );
  assert.equal(wantedOf({ id: 4, status: "active" }, newest).length, 2);
  assert.deepEqual(
    wantedOf({ id: 4, status: "paid", result }, newest).map(({ size }) => size),
    [77],
  );
  assert.deepEqual(wantedOf({ id: 4, status: "active" }, []), []);
});

test("the newest of every lease is copied before the second of any, and nothing twice", () => {
  const wanted = new Map([want(1, "a2", "a1"), want(2, "b2", "b1"), want(3, "c2", "c1")]);
  const order = missing(wanted, [...here(1, "a2"), ...here(3, "c1")], 10).map(({ cid }) => cid);
  assert.deepEqual(order, ["b2", "c2", "a1", "b1"]);
});

test("one lease's copy is not another one's: each is pinned for itself", () => {
  const wanted = new Map([want(1, "same"), want(2, "same")]);
  assert.deepEqual(
    missing(wanted, here(1, "same"), 10).map(({ leaseId }) => leaseId),
    [2],
  );
});

test("what is larger than this node takes is not copied", () => {
  assert.deepEqual(missing(new Map([want(1, "a2", "a1")]), [], 9), []);
});

test("the one before the newest stays, older ones go once the newest is here", () => {
  const wanted = new Map([want(1, "a3", "a2")]);
  assert.deepEqual(superfluous(wanted, here(1, "a3", "a2", "a1")), here(1, "a1"));
  assert.deepEqual(superfluous(wanted, here(1, "a3", "a1", "a0")), here(1, "a1", "a0"));
  assert.deepEqual(superfluous(wanted, here(1, "a2", "a1")), [], "the newest may never come");
});

test("a lease that is no longer of use keeps nothing, one without checkpoints on chain loses nothing", () => {
  assert.deepEqual(superfluous(new Map(), here(1, "a2", "a1")), here(1, "a2", "a1"));
  assert.deepEqual(superfluous(new Map([want(1)]), here(1, "a1")), []);
});

test("however a lease goes on, no more than two of its checkpoints are here after each look", () => {
  let held: Held[] = [];
  for (let sequence = 1; sequence <= 50; sequence++) {
    const newest = [sequence, sequence - 1].filter((each) => each > 0).map((each) => `s${String(each)}`);
    const wanted = new Map([want(1, ...newest)]);
    // Every third one cannot be had in time.
    if (sequence % 3 !== 0) held = [...held, ...missing(wanted, held, 10)];
    const gone = superfluous(wanted, held).map(({ cid }) => cid);
    held = held.filter(({ cid }) => !gone.includes(cid));
    assert.ok(held.length >= 1 && held.length <= 2, `after ${String(sequence)}: ${JSON.stringify(held)}`);
  }
});
