import assert from "node:assert/strict";
import { test } from "node:test";

import type { AuditEpoch } from "@verai/client/audit-epochs";
import { drawnOf, segmentsOf } from "./audits-over.ts";

const SEED = `0x${"5e".repeat(32)}`;

test("segments follow from checkpoints without a gap, or nothing is known of them", () => {
  const posted = [4, 3, 2, 1].map((sequence) => ({ sequence, at: 10 * sequence, total: 1_000 * sequence ** 2 }));
  assert.deepEqual(segmentsOf(posted, 4, 20), [
    { sequence: 4, at: 40, progress: 7_000 },
    { sequence: 3, at: 30, progress: 5_000 },
  ]);
  assert.deepEqual(segmentsOf(posted, 4, 0)?.at(-1), { sequence: 1, at: 10, progress: 1_000 });
  assert.deepEqual(segmentsOf(posted, 4, 40), []);
  // The newest is not the newest of the state, one in between is missing, the one before the oldest is missing.
  assert.equal(segmentsOf(posted, 5, 20), undefined);
  const without = (sequence: number) => posted.filter((each) => each.sequence !== sequence);
  assert.equal(segmentsOf(without(4), 4, 20), undefined);
  assert.equal(segmentsOf(without(3), 4, 20), undefined);
  assert.equal(segmentsOf(without(2), 4, 20), undefined);
  // What lies before that time is not asked about.
  assert.equal(segmentsOf(without(1), 4, 20)?.length, 2);
  assert.equal(segmentsOf([], 1, 0), undefined);
  assert.deepEqual(segmentsOf([], 0, 0), []);
});

test("each segment is drawn by the seed of its epoch, and by its own chance", () => {
  const epoch: AuditEpoch = { id: 1, from: 0, to: 100, abandoned: false, seed: SEED };
  const late: AuditEpoch = { id: 2, from: 100, to: 200, abandoned: false, seed: undefined };
  const segments = [1, 2, 3].map((sequence) => ({ sequence, at: 50 * sequence, progress: 1000 * sequence }));
  const drawn = (chance: number) => drawnOf(7, segments, [late, epoch], () => chance);
  assert.deepEqual(drawn(10_000), [
    { sequence: 1, epoch },
    { sequence: 2, epoch },
  ]);
  assert.deepEqual(drawn(0), []);
  const byProgress = drawnOf(7, segments, [epoch], ({ progress }) => (progress === 2000 ? 10_000 : 0));
  assert.deepEqual(byProgress, [{ sequence: 2, epoch }]);
  const many = Array.from({ length: 2_000 }, (_, i) => ({ sequence: i + 1, at: 1, progress: 1 }));
  const tenth = drawnOf(7, many, [epoch], () => 1_000).length;
  assert.ok(Math.abs(tenth - 200) < 60, String(tenth));
});
