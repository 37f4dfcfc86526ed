import assert from "node:assert/strict";
import { test } from "node:test";

import { type Happenings, recoveries } from "./timeline.ts";

const seen: Happenings = {
  granted: [
    { leaseId: 1, parent: 0, nodeId: 1, count: 4, at: 1_000, lag: 90, by: "round" },
    { leaseId: 5, parent: 1, nodeId: 2, count: 3, at: 40_000, lag: 100, by: "draw" },
    { leaseId: 6, parent: 1, nodeId: 3, count: 1, at: 90_000, lag: 1_500, by: "round" },
  ],
  expired: [{ leaseId: 1, at: 35_000 }],
  seeds: [{ at: 500 }, { at: 39_000 }, { at: 60_000 }, { at: 95_000 }],
  posted: [
    { leaseId: 1, at: 9_000 },
    { leaseId: 5, at: 44_000 },
    { leaseId: 5, at: 48_000 },
  ],
  suspected: [
    { leaseId: 1, at: 5_000 },
    { leaseId: 1, at: 15_000 },
  ],
  restored: [{ leaseId: 5, at: 41_000, cid: "c" }],
};

test("a row for each successor, in seconds since the fault, with the seed that decided it", () => {
  assert.deepEqual(recoveries([{ what: "killed", at: 10_000, leaseIds: [1] }], seen), [
    {
      ...{ fault: "killed", leaseId: 1, successor: 5, nodeId: 2, units: 3, by: "draw" },
      ...{ detected: 5, expired: 25, seed: 29, drawn: 30, lag: 0.1, restored: 31, checkpoint: 34 },
    },
    {
      ...{ fault: "killed", leaseId: 1, successor: 6, nodeId: 3, units: 1, by: "round" },
      ...{ detected: 5, expired: 25, seed: 50, drawn: 80, lag: 1.5 },
    },
  ]);
});

test("a fault that cost no lease has no rows", () => {
  assert.deepEqual(recoveries([{ what: "stalled", at: 10_000, leaseIds: [2] }], seen), []);
});
