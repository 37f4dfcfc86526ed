import assert from "node:assert/strict";
import { test } from "node:test";

import { endAtPace, notePace, type Pace } from "./progress.ts";

const seen = (...statements: readonly (readonly [at: number, stated: number])[]) =>
  statements.reduce<Pace | undefined>((pace, [at, stated]) => notePace(pace, at, stated), undefined) ?? assert.fail();

test("a pace is measured from one change to another, however rarely checkpoints come and looks are taken", () => {
  // A checkpoint every 100 s, each worth 500; the agent began to look at 1,030.
  const pace = seen([1_030, 2_000], [1_060, 2_000], [1_100, 2_500], [1_150, 2_500], [1_200, 3_000], [1_299, 3_000]);
  assert.deepEqual(pace, { first: { at: 1_100, stated: 2_500 }, last: { at: 1_200, stated: 3_000 } });
  assert.equal(endAtPace(pace, 1, 60), 1_200 + 1_400);
});

test("what was found at the beginning, a single change, or too short a time say nothing", () => {
  assert.equal(endAtPace(seen([1_000, 2_000]), 1, 0), undefined);
  assert.equal(endAtPace(seen([1_000, 2_000], [1_010, 3_000]), 1, 0), undefined);
  const two = seen([1_000, 2_000], [1_010, 3_000], [1_020, 4_000]);
  assert.equal(endAtPace(two, 1, 11), undefined);
  assert.equal(endAtPace(two, 1, 10), 1_080);
});

test("work that begins again is measured again", () => {
  assert.deepEqual(seen([1_000, 2_000], [1_010, 3_000], [1_020, 0]), { last: { at: 1_020, stated: 0 } });
});
