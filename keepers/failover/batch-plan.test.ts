import assert from "node:assert/strict";
import { test } from "node:test";

import { type BatchView, nextBatchStep, undrawnOf } from "./batch-plan.ts";

const idle: BatchView = {
  now: 1_000,
  orphans: 0,
  batch: { id: 0, status: "none", openedAt: 0, left: 0, seeded: false },
  frozen: false,
  nextOpening: 0,
  seedTimeout: 60,
  settleTimeout: 120,
};
const seeding: BatchView = {
  ...idle,
  orphans: 2,
  frozen: true,
  batch: { id: 3, status: "seeding", openedAt: 1_000, left: 2, seeded: false },
};
const drawing: BatchView = { ...seeding, batch: { ...seeding.batch, status: "drawing" } };
const kind = (view: BatchView) => nextBatchStep(view).kind;

test("orphans open a batch, unless a round is open or comes first", () => {
  assert.equal(kind(idle), "wait");
  assert.equal(kind({ ...idle, orphans: 1 }), "open");
  assert.equal(kind({ ...idle, orphans: 1, frozen: true }), "wait");
  assert.equal(kind({ ...idle, orphans: 1, nextOpening: 1_001 }), "wait");
  // Expiries amid a batch leave listings pending, which a batch that is opened next works off only in part.
  assert.equal(kind({ ...idle, orphans: 1, pending: 48 }), "open");
  assert.equal(kind({ ...idle, orphans: 1, pending: 49 }), "sync");
  assert.equal(kind({ ...idle, orphans: 0, pending: 49 }), "wait");
  assert.equal(kind({ ...idle, orphans: 127, expiring: true }), "wait");
  assert.equal(kind({ ...idle, orphans: 128, expiring: true }), "open");
  for (const status of ["done", "aborted"] as const) {
    assert.equal(
      kind({ ...idle, orphans: 1, batch: { id: 1, status, openedAt: 900, left: 0, seeded: false } }),
      "open",
    );
  }
});

test("an open batch is waited for, drawn once its seed has arrived, and aborted when it is late", () => {
  assert.equal(kind({ ...seeding, now: 1_060 }), "wait");
  assert.deepEqual(nextBatchStep({ ...seeding, now: 1_061 }), {
    kind: "abort",
    batchId: 3,
    why: "the oracle did not answer batch 3 in time",
  });
  assert.equal(kind({ ...drawing, now: 1_180 }), "draw");
  assert.equal(kind({ ...drawing, now: 1_181 }), "abort");
});

test("ranges of a batch that waits for its seed, or is being drawn, are not drawn for yet", () => {
  assert.equal(undrawnOf({ ...seeding, orphans: 0 }), 2);
  assert.equal(undrawnOf({ ...drawing, orphans: 5 }), 7);
  assert.equal(undrawnOf({ ...idle, orphans: 3 }), 3);
  assert.equal(undrawnOf({ orphans: 0, batch: { ...seeding.batch, status: "aborted" } }), 0);
});

test("no seed is asked for twice: while a batch is open, more orphans wait", () => {
  assert.equal(kind({ ...seeding, orphans: 40 }), "wait");
});
