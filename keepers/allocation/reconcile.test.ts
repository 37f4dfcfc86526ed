import assert from "node:assert/strict";
import { test } from "node:test";

import { type AllocationView, nextStep } from "./reconcile.ts";

const idle: AllocationView = {
  now: 1_000,
  round: { id: 3, status: "settled", openedAt: 900 },
  nextOpening: 930,
  seedTimeout: 60,
  settleTimeout: 120,
  intakePaused: false,
  batch: undefined,
  pendingListings: 0,
  pendingAtOpen: 48,
  queue: [{ taskId: 7, servable: true }],
  looks: 32,
  newestSubmission: 900,
  batchSeconds: 10,
};

test("a waiting, servable task opens a round", () => {
  assert.equal(nextStep(idle).kind, "open");
  assert.equal(nextStep({ ...idle, round: { id: 0, status: "none", openedAt: 0 }, nextOpening: 0 }).kind, "open");
});

test("no round is opened too early, for nothing, or while intake is paused", () => {
  assert.match(nextStep({ ...idle, nextOpening: 1_010 }).why, /in 10 s/);
  assert.match(nextStep({ ...idle, queue: [] }).why, /no task/);
  assert.match(nextStep({ ...idle, queue: [{ taskId: 7, servable: false }] }).why, /nothing listed/);
  assert.match(nextStep({ ...idle, intakePaused: true }).why, /paused/);
});

test("a batch of orphaned ranges is waited for, but an open round is settled all the same", () => {
  for (const batch of ["open", "has its turn"] as const) {
    assert.match(nextStep({ ...idle, batch }).why, /^a batch of orphaned ranges/);
    assert.equal(nextStep({ ...idle, batch, pendingListings: 99 }).kind, "wait");
    assert.equal(nextStep({ ...idle, batch, round: { id: 4, status: "settling", openedAt: 990 } }).kind, "settle");
  }
});

test("many pending listings are synced first, few are left to the opening", () => {
  assert.deepEqual(nextStep({ ...idle, pendingListings: 49 }).kind, "sync");
  assert.deepEqual(nextStep({ ...idle, pendingListings: 48 }).kind, "open");
});

test("unservable tasks at the head are rotated away only when the opening would not look past them", () => {
  const heap = Array.from({ length: 40 }, (_, i) => ({ taskId: i + 1, servable: i === 35 }));
  assert.deepEqual(nextStep({ ...idle, queue: heap }), {
    kind: "rotate",
    count: 35,
    why: "35 tasks that nothing serves block the queue",
  });
  assert.equal(nextStep({ ...idle, queue: heap.slice(10) }).kind, "open");
});

test("an open round waits for its seed, then is settled, and is aborted only after the time-outs", () => {
  const seeding = { ...idle, round: { id: 4, status: "seeding", openedAt: 950 } as const };
  assert.equal(nextStep(seeding).kind, "wait");
  assert.equal(nextStep({ ...seeding, now: 1_010 }).kind, "wait");
  assert.equal(nextStep({ ...seeding, now: 1_011 }).kind, "abort");
  const settling = { ...idle, round: { id: 4, status: "settling", openedAt: 950 } as const };
  assert.equal(nextStep(settling).kind, "settle");
  assert.equal(nextStep({ ...settling, now: 1_130 }).kind, "settle");
  assert.equal(nextStep({ ...settling, now: 1_131 }).kind, "abort");
});

test("a fresh task waits for company", () => {
  assert.match(nextStep({ ...idle, newestSubmission: 995 }).why, /another 5 s/);
  assert.equal(nextStep({ ...idle, newestSubmission: 990 }).kind, "open");
});
