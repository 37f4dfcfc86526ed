import assert from "node:assert/strict";
import { test } from "node:test";

import type { Checkpoint } from "@verai/client/entities";
import type { Posted } from "./posted-segments.ts";
import { keptSegments, keptStates } from "./segment-retention.ts";

const times = { epoch: 100, seedTimeout: 10, opening: 50, longest: 1000 };
const posted = (sequence: number, more: Partial<Posted> = {}): Posted => ({
  ...{ sequence, digest: `d${String(sequence)}`, cid: `c${String(sequence)}`, root: `r${String(sequence)}` },
  ...{ codec: 0x70, size: 10, progress: sequence },
  ...more,
});
const newest = (sequence: number, at: number): Checkpoint => ({
  ...{ sequence, at, digest: `d${String(sequence)}`, codec: 0x70, progress: sequence, size: 10, startedAt: 0 },
});
const sequences = (segments: readonly Posted[]) => segments.map(({ sequence }) => sequence);

test("of several tries the one that landed stays; times are taken from the chain", () => {
  const tries = [posted(1), posted(2), posted(2, { digest: "lost" }), posted(3)];
  const kept = keptSegments(tries, newest(2, 20), true, 25, times);
  assert.deepEqual(
    kept.map(({ sequence, digest, at, late }) => [sequence, digest, at, late]),
    [
      [1, "d1", 20, true],
      [2, "d2", 20, false],
      [3, "d3", undefined, undefined],
    ],
  );
});

test("a lease that is over keeps what an audit can still ask for, and nothing that never landed", () => {
  const segments = [posted(1, { at: 10 }), posted(2, { at: 20 }), posted(3)];
  assert.deepEqual(sequences(keptSegments(segments, newest(2, 20), false, 30, times)), [1, 2]);
  // Nobody has opened an epoch for so long that nobody will.
  assert.deepEqual(keptSegments(segments, newest(2, 20), false, 20 + 100 + 30 + 50 + 1001, times), []);
  // The one that the next goes on from stays while there may be a next.
  assert.deepEqual(sequences(keptSegments(segments.slice(0, 2), newest(2, 20), true, 1e9, times)), [2]);
});

test("what the seed did not draw, or whose audit is over, is let go; an open audit is waited for", () => {
  const decided = [
    posted(1, { at: 10, seededAt: 100, drawn: false }),
    posted(2, { at: 20, seededAt: 100, drawn: true }),
    posted(3, { at: 30, seededAt: 100, drawn: true, audit: "open" }),
    posted(4, { at: 40, seededAt: 100, drawn: true, audit: "ended" }),
  ];
  const at = (now: number) => sequences(keptSegments(decided, newest(4, 40), false, now, times));
  // Each with the one whose state it begins with, although that one's own audit is over.
  assert.deepEqual(at(101), [1, 2, 3]);
  assert.deepEqual(at(151), [2, 3]);
  assert.deepEqual(at(1151), []);
  // States: the newest two, each that may be asked for, and the one that it began with.
  assert.deepEqual([...keptStates(decided, 101, times)].sort(), ["c1", "c2", "c3", "c4"]);
  assert.deepEqual([...keptStates(decided, 1151, times)].sort(), ["c3", "c4"]);
});

test("round after round, the state that an open audit begins with stays, however long ago its own audit ended", () => {
  let segments: readonly Posted[] = [
    posted(1, { at: 10, seededAt: 50, drawn: true, audit: "ended" }),
    posted(2, { at: 20, seededAt: 50, drawn: true, audit: "ended" }),
    posted(3, { at: 60, seededAt: 100, drawn: true, audit: "open" }),
    ...[4, 5, 6].map((sequence) => posted(sequence, { at: 60, seededAt: 100, drawn: true, audit: "ended" })),
  ];
  for (const now of [120, 200, 600, 1149]) {
    segments = keptSegments(segments, newest(6, 60), false, now, times);
    assert.deepEqual([...keptStates(segments, now, times)].filter((cid) => cid < "c4").sort(), ["c2", "c3"]);
  }
  assert.deepEqual(keptSegments(segments, newest(6, 60), false, 1151, times), []);
});
