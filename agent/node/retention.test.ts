import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { keptLeases, keptResults } from "./retention.ts";

function lease(id: number, status: Lease["status"], rest: Partial<Lease> = {}): Lease {
  return {
    id,
    taskId: 1,
    nodeId: 1,
    start: 0,
    count: 2,
    price: 1,
    due: 0,
    fence: 1,
    status,
    parent: 0,
    classId: 1,
    ...rest,
  };
}
const kept = (leases: readonly Lease[], now = 100, open = true) =>
  keptLeases(leases, now, () => open).map(({ id }) => id);

test("what was given back is kept until its range is delivered, and not while only a part of it is", () => {
  const gone = lease(1, "released");
  assert.deepEqual(kept([gone]), [1]);
  assert.deepEqual(kept([gone, lease(2, "active", { parent: 1 })]), [1, 2]);
  assert.deepEqual(kept([gone, lease(2, "delivered", { parent: 1, count: 1 })]), [1, 2]);
  const halves = [
    lease(2, "delivered", { parent: 1, count: 1 }),
    lease(3, "active", { parent: 1, start: 1, count: 1 }),
  ];
  assert.deepEqual(kept([gone, ...halves]), [1, 2, 3]);
  assert.deepEqual(kept([gone, lease(2, "delivered", { parent: 1 })]), [2]);
});

test("a successor that also fails leaves its ancestors in place", () => {
  const family = [lease(1, "expired"), lease(2, "released", { parent: 1 }), lease(3, "active", { parent: 2 })];
  assert.deepEqual(kept(family), [1, 2, 3]);
  assert.deepEqual(kept([...family.slice(0, 2), lease(3, "delivered", { parent: 2 })]), [3]);
});

test("nothing of a task that gets no more leases is kept, and a paid lease for an hour", () => {
  assert.deepEqual(kept([lease(1, "expired")], 100, false), []);
  const result = { codec: 0x70, digest: "0x", size: 1, deliveredAt: 50, bond: 0 };
  assert.deepEqual(kept([lease(1, "paid", { result })], 3_649), [1]);
  assert.deepEqual(kept([lease(1, "paid", { result })], 3_650), []);
});

test("others hold a paid lease's result for a week, and nobody's who was not paid", () => {
  const result = { codec: 0x70, digest: "0x", size: 1, deliveredAt: 50, bond: 0 };
  const leases = [lease(1, "paid", { result }), lease(2, "rejected", { result }), lease(3, "active")];
  const ids = (now: number) => keptResults(leases, now).map(({ id }) => id);
  assert.deepEqual([ids(50 + 7 * 86_400 - 1), ids(50 + 7 * 86_400)], [[1], []]);
});
