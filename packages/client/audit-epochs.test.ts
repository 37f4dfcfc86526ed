import assert from "node:assert/strict";
import { test } from "node:test";

import { type AuditEpoch, epochOf } from "./audit-epochs.ts";

function epoch(id: number, from: number, to: number, seed?: string): AuditEpoch {
  return { id, from, to, abandoned: false, seed };
}

test("a segment is decided by the epoch that covers its time, once that has its seed", () => {
  const epochs = [epoch(3, 200, 300), epoch(2, 100, 200, "s2"), { ...epoch(1, 100, 150), abandoned: true }];
  for (const [at, id] of [
    [100, undefined],
    [101, 2],
    [150, 2],
    [200, 2],
    [201, undefined],
    [301, undefined],
  ] as const) {
    assert.equal(epochOf(epochs, at)?.id, id, String(at));
  }
  assert.equal(epochOf([], 1), undefined);
});
