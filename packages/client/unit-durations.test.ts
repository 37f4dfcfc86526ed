import assert from "node:assert/strict";
import { test } from "node:test";

import { measurableTasks } from "./unit-durations.ts";

const lease = (taskId: number, classId: number, count: number, status: "paid" | "expired" | "active" = "paid") => ({
  ...{ taskId, classId, count, status },
});
const ended = (id: number, paidUnits: number) => ({ id, status: "ended" as const, paidUnits });

test("a task counts for a class if it has ended and all of it ran there", () => {
  const leases = [
    lease(1, 4, 2),
    lease(1, 4, 1, "expired"),
    lease(1, 4, 1),
    // Of two classes; not ended; not all of its leases are known; of a class that nobody asked about.
    ...[lease(2, 4, 1), lease(2, 5, 1), lease(3, 4, 1), lease(4, 4, 1), lease(5, 6, 1)],
    lease(6, 5, 3),
  ];
  const tasks = [
    ...[ended(1, 3), ended(2, 2), { id: 3, status: "open" as const, paidUnits: 1 }, ended(4, 2), ended(5, 1)],
    ended(6, 3),
  ];
  assert.deepEqual(measurableTasks(leases, tasks, new Set([4, 5])), [
    { taskId: 6, classId: 5, paidUnits: 3 },
    { taskId: 1, classId: 4, paidUnits: 3 },
  ]);
});

test("of many tasks the newest count", () => {
  const ids = [1, 2, 3, 4];
  const found = measurableTasks(
    ids.map((id) => lease(id, 4, 1)),
    ids.map((id) => ended(id, 1)),
    new Set([4]),
    2,
  );
  assert.deepEqual(
    found.map(({ taskId }) => taskId),
    [4, 3],
  );
});
