import assert from "node:assert/strict";
import { test } from "node:test";

import { type AuditTimes, keptCheckpoints, neededUntil, type SegmentState } from "./retention.ts";

const times: AuditTimes = { epoch: 3600, seedTimeout: 600, opening: 1800, longest: 7200 };
const posted = (sequence: number, more: Partial<SegmentState> = {}): SegmentState => ({
  ...{ sequence, postedAt: 1000 * sequence },
  ...more,
});
const kept = (segments: readonly SegmentState[], now: number) => [...keptCheckpoints(segments, now, times)].sort();

test("a segment is kept for as long as its audit can be opened, and while one is open", () => {
  assert.equal(neededUntil(posted(1, { seededAt: 5000 }), times), 6800);
  assert.equal(neededUntil(posted(1, { seededAt: 5000, audit: "open" }), times), 14_000);
  assert.equal(neededUntil(posted(1, { seededAt: 5000, audit: "ended" }), times), 5000);
});

test("one that no epoch decides on is kept for a bounded time", () => {
  assert.equal(neededUntil(posted(1), times), 1000 + 3600 + 1800 + 1800 + 7200);
});

test("each segment keeps its end and its beginning; the newest two stay in any case", () => {
  const segments = [1, 2, 3, 4, 5].map((sequence) => posted(sequence));
  assert.deepEqual(kept(segments, 6000), [1, 2, 3, 4, 5]);
  assert.deepEqual(kept(segments, 1e9), [4, 5]);
  const decided = segments.map((each) => ({ ...each, seededAt: 5500 }));
  assert.deepEqual(kept(decided, 5500 + 1801), [4, 5]);
  const audited = decided.map((each) => (each.sequence === 2 ? { ...each, audit: "open" as const } : each));
  assert.deepEqual(kept(audited, 5500 + 1801), [1, 2, 4, 5]);
  assert.deepEqual(kept([], 0), []);
});
