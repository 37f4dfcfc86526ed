import assert from "node:assert/strict";
import { test } from "node:test";

import { requestRange } from "./request-range.ts";

test("the first look reads the whole chain, a later one what is new and 64 blocks before it", () => {
  assert.deepEqual(requestRange({ number: 300, hash: "a" }, undefined, 2), { from: 0, to: 298 });
  assert.deepEqual(requestRange({ number: 310, hash: "b" }, { hash: "a", to: 298 }, 2), { from: 235, to: 308 });
  assert.equal(requestRange({ number: 1, hash: "a" }, undefined, 2), undefined);
});

test("nothing is read while the head is the same, and all that may have changed once it is another one", () => {
  const seen = { hash: "a", to: 298 };
  assert.equal(requestRange({ number: 300, hash: "a" }, seen, 2), undefined);
  // Reorganised at the same height, and to a shorter chain.
  assert.deepEqual(requestRange({ number: 300, hash: "b" }, seen, 2), { from: 235, to: 298 });
  assert.deepEqual(requestRange({ number: 290, hash: "b" }, seen, 2), { from: 225, to: 288 });
});
