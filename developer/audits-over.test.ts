import assert from "node:assert/strict";
import { test } from "node:test";

import { isDecided, mayBeDrawn } from "./audits-over.ts";

const SEED = `0x${"5e".repeat(32)}`;

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

test("who sees that a seed has drawn nothing need not wait for audits to be opened", () => {
  const drawn = (chance: number, segments = 1) =>
    Array.from({ length: 2_000 }, (_, lease) => mayBeDrawn(SEED, lease, segments, chance)).filter(Boolean).length;
  assert.equal(drawn(0), 0);
  assert.equal(drawn(10_000), 2_000);
  assert.ok(Math.abs(drawn(1_000) - 200) < 60, String(drawn(1_000)));
  // 1 - 0.9^10.
  assert.ok(Math.abs(drawn(1_000, 10) - 1_303) < 100, String(drawn(1_000, 10)));
});
