import assert from "node:assert/strict";
import { test } from "node:test";

import { PeerReputation } from "./reputation.ts";

test("by rank, the unreached last, those who failed a check not at all, each for a while", () => {
  let now = 0;
  const reputation = new PeerReputation(() => now);
  reputation.note(1, "unreached");
  reputation.note(2, "failed check");
  assert.deepEqual(reputation.order([1, 2, 3, 4], 1), [3, 4, 1]);
  now = 60_000;
  assert.deepEqual(reputation.order([1, 2, 3, 4], 1), [1, 3, 4]);
  now = 16 * 60_000;
  assert.deepEqual(reputation.order([1, 2, 3, 4], 1), [1, 2, 3, 4]);
});

test("a failed check counts only as long as there are enough others, and is not softened", () => {
  const reputation = new PeerReputation(() => 0);
  reputation.note(2, "failed check");
  reputation.note(2, "unreached");
  assert.deepEqual(reputation.order([2, 3], 1), [3]);
  assert.deepEqual(reputation.order([2, 3], 2), [3, 2]);
});
