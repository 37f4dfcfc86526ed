import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "../../chain/entities.ts";
import { outdatedPins, RESULT_RETENTION } from "./letting-go.ts";

const DELIVERED_AT = 1_000;
const result = { codec: 0x70, digest: "0x", size: 1, deliveredAt: DELIVERED_AT, bond: 0 };
const lease = (id: number, status: Lease["status"], rest: Partial<Lease> = {}): Lease => ({
  ...{ id, taskId: 1, nodeId: 1, start: 0, count: 2, price: 1, due: 0, fence: 1, parent: 0 },
  ...{ status, ...rest },
});
const leases = new Map(
  [lease(1, "active"), lease(2, "expired"), lease(3, "paid", { result }), lease(4, "rejected", { result })].map(
    (each) => [each.id, each],
  ),
);
const kinds = ["checkpoint", "result"];
const pins = [1, 2, 3, 4, 5].flatMap((id) => kinds.map((kind) => ({ label: `${kind}-${String(id)}` })));
const outdated = (kept: readonly number[], now: number) =>
  outdatedPins(
    [...pins, { label: "spec" }, { label: "attested-2" }, { label: "replica-2" }],
    (id) => leases.get(id),
    new Set(kept),
    now,
  ).map(({ label }) => label);
const all = (id: number) => kinds.map((kind) => `${kind}-${String(id)}`);

test("leases that can change and unknown ones keep all; results of paid ones stay for a month", () => {
  const late = DELIVERED_AT + RESULT_RETENTION;
  assert.deepEqual(outdated([], late - 1), [...all(2), "checkpoint-3", ...all(4)]);
  assert.deepEqual(outdated([], late), [...all(2), ...all(3), ...all(4)]);
});

test("what others go on from stays, whatever came of its lease", () => {
  assert.deepEqual(outdated([2, 3], DELIVERED_AT), all(4));
});
