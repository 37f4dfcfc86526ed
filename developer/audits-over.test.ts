import assert from "node:assert/strict";
import { test } from "node:test";

import { isDecided } from "./audits-over.ts";

test("a segment is decided once the epoch that it belongs to has its seed, and audits had time to be opened", () => {
  const epochs = [
    { from: 100, to: 200, isSeeded: false },
    { from: 0, to: 100, isSeeded: true },
  ];
  assert.equal(isDecided(epochs, 100, 121, 20), true);
  assert.equal(isDecided(epochs, 100, 120, 20), false);
  assert.equal(isDecided(epochs, 101, 1000, 20), false);
  assert.equal(isDecided([], 1, 1000, 20), false);
});
