import assert from "node:assert/strict";
import { test } from "node:test";

import { toBeHex } from "ethers";

import { staggerOf, Stagger } from "./stagger.ts";

const operators = Array.from({ length: 4 }, (_, i) => toBeHex(i + 1, 20));

test("over many rounds each operator is first about as often", () => {
  const first = new Map<string, number>();
  for (let round = 0; round < 2000; round++) {
    const waits = operators.map((address) => ({ address, wait: staggerOf(address, `round ${String(round)}`, 6000) }));
    assert.ok(waits.every(({ wait }) => wait >= 0 && wait < 6000));
    const [winner] = waits.sort((a, b) => a.wait - b.wait);
    if (winner) first.set(winner.address, (first.get(winner.address) ?? 0) + 1);
  }
  // A quarter of 2000 each; 5 standard deviations are 97.
  for (const address of operators) assert.ok(Math.abs((first.get(address) ?? 0) - 500) < 97);
});

test("an operator waits its turn once, from when it saw that something can be posted", () => {
  let now = 5000;
  const [address = ""] = operators;
  const stagger = new Stagger(address, 6000, () => now);
  const wait = staggerOf(address, "round 9", 6000);
  assert.equal(stagger.left("round 9"), wait);
  now += wait;
  assert.equal(stagger.left("round 9"), 0);
  now += 60_000;
  assert.equal(stagger.left("round 9"), 0);
  assert.equal(stagger.left("round 10"), staggerOf(address, "round 10", 6000));
});

test("without a spread nobody waits", () => {
  assert.equal(staggerOf(operators[0] ?? "", "round 1", 0), 0);
});
