import assert from "node:assert/strict";
import { test } from "node:test";

import { healthOf, type LeaseSign } from "./health.ts";

const lease = (id: number, changes: Partial<LeaseSign> = {}): LeaseSign => ({
  id,
  nodeId: 10 + id,
  due: 100,
  deadline: 1_000,
  silent: false,
  ...changes,
});
const at = (now: number, ...leases: LeaseSign[]) => {
  const { suspect, overdue } = healthOf(leases, now, 30);
  return { suspect: suspect.map(({ leaseId }) => leaseId), overdue: overdue.map(({ leaseId }) => leaseId) };
};

test("in time until the interval is over, suspect while the grace runs, overdue after it", () => {
  assert.deepEqual(at(70, lease(1)), { suspect: [], overdue: [] });
  assert.deepEqual(at(71, lease(1)), { suspect: [1], overdue: [] });
  assert.deepEqual(at(100, lease(1)), { suspect: [1], overdue: [] });
  assert.deepEqual(at(101, lease(1)), { suspect: [], overdue: [1] });
});

test("a silent node's leases and those past their task's deadline are overdue at once", () => {
  const { overdue } = healthOf([lease(1, { silent: true }), lease(2, { deadline: 50 })], 60, 30);
  assert.deepEqual(overdue, [
    { leaseId: 2, nodeId: 12, reason: "task past its deadline", at: 50 },
    { leaseId: 1, nodeId: 11, reason: "node silent" },
  ]);
});

test("nobody fails by an outage of the chain, but a task past its deadline is past it", () => {
  const leases = [lease(1), lease(2, { silent: true }), lease(3, { deadline: 50 })];
  const outage = healthOf(leases, 200, 30, 200);
  assert.deepEqual(
    [outage.suspect.map(({ leaseId }) => leaseId), outage.overdue.map(({ leaseId }) => leaseId)],
    [[1, 2], [3]],
  );
  assert.equal(healthOf(leases, 201, 30, 200).overdue.length, 3);
});

test("the longest overdue comes first", () => {
  assert.deepEqual(at(200, lease(1, { due: 150 }), lease(2, { due: 90 }), lease(3, { due: 120 })).overdue, [2, 3, 1]);
});
