import assert from "node:assert/strict";
import { test } from "node:test";

import { decidedBy, drawnOf, type SeededEpoch } from "./audits-over.ts";

const SEED = `0x${"5e".repeat(32)}`;
const always = () => true;

test("a segment is decided by the epoch that it belongs to, once that has its seed", () => {
  const epochs = [
    { from: 200, to: 300, seed: undefined },
    { from: 100, to: 200, seed: SEED },
  ];
  for (const [at, from] of [
    [100, undefined],
    [101, 100],
    [200, 100],
    [201, undefined],
    [301, undefined],
  ] as const) {
    assert.equal(decidedBy(epochs, at)?.from, from, String(at));
  }
  assert.equal(decidedBy([], 1), undefined);
});

test("what a seed draws is waited for as long as it can be opened, and nothing else", () => {
  const epoch: SeededEpoch = { from: 0, to: 100, seed: SEED };
  const late: SeededEpoch = { from: 100, to: 200, seed: undefined };
  const segments = [1, 2, 3].map((sequence) => ({ sequence, at: 50 * sequence, progress: 1000 * sequence }));
  const drawn = (chance: number, openable: (epoch: SeededEpoch) => boolean = always) =>
    drawnOf(7, segments, [late, epoch], () => chance, openable);
  assert.deepEqual(drawn(10_000), [1, 2]);
  assert.deepEqual(drawn(0), []);
  assert.deepEqual(
    drawn(10_000, () => false),
    [],
  );
  // Each by its own chance.
  assert.deepEqual(
    drawnOf(7, segments, [epoch], ({ progress }) => (progress === 2000 ? 10_000 : 0), always),
    [2],
  );
  const many = Array.from({ length: 2_000 }, (_, i) => ({ sequence: i + 1, at: 1, progress: 1 }));
  const tenth = drawnOf(7, many, [epoch], () => 1_000, always).length;
  assert.ok(Math.abs(tenth - 200) < 60, String(tenth));
});
