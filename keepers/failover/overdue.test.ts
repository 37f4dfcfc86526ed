import assert from "node:assert/strict";
import { test } from "node:test";

import { overdueLeases } from "./overdue.ts";

test("only active leases past due or deadline are expired, the oldest first", () => {
  const leases = [
    { id: 1, status: "active", due: 100, deadline: 1_000 },
    { id: 2, status: "active", due: 99, deadline: 1_000 },
    { id: 3, status: "other", due: 10, deadline: 10 },
    { id: 4, status: "active", due: 500, deadline: 50 },
    { id: 5, status: "active", due: 101, deadline: 101 },
  ] as const;
  assert.deepEqual(overdueLeases(leases, 101), [
    { leaseId: 4, reason: "task past its deadline" },
    { leaseId: 2, reason: "checkpoint overdue" },
    { leaseId: 1, reason: "checkpoint overdue" },
  ]);
});

test("a lease is in time up to and including the second in which it is due", () => {
  assert.deepEqual(overdueLeases([{ id: 1, status: "active", due: 100, deadline: 200 }], 100), []);
});
