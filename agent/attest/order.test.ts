import assert from "node:assert/strict";
import { test } from "node:test";

import { Doubts } from "./order.ts";

test("by rank, the unreached last, those who failed a check not at all, each for a while", () => {
  let now = 0;
  const doubts = new Doubts(() => now);
  doubts.note(1, "unreached");
  doubts.note(2, "failed check");
  assert.deepEqual(doubts.order([1, 2, 3, 4], 1), [3, 4, 1]);
  now = 60_000;
  assert.deepEqual(doubts.order([1, 2, 3, 4], 1), [1, 3, 4]);
  now = 16 * 60_000;
  assert.deepEqual(doubts.order([1, 2, 3, 4], 1), [1, 2, 3, 4]);
});

test("a failed check counts only as long as there are enough others, and is not softened", () => {
  const doubts = new Doubts(() => 0);
  doubts.note(2, "failed check");
  doubts.note(2, "unreached");
  assert.deepEqual(doubts.order([2, 3], 1), [3]);
  assert.deepEqual(doubts.order([2, 3], 2), [3, 2]);
});
