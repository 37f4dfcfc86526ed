import assert from "node:assert/strict";
import { test } from "node:test";

import { parseVer } from "../money/ver.ts";
import { feeOn, quoteAllocation } from "./quote.ts";

const node = (id: number, tick: number, units: number) => ({ id, tick, units, position: 0 });
/** The textbook's market: 10, 15 and 20 VER with 100, 80 and 50 units. */
const supply = [
  { id: 0, name: "cpu/eu", tickSize: 1_000_000, nodes: [node(1, 10, 100), node(2, 15, 80), node(3, 20, 50)] },
];
const wish = (units: number, maxPrice: string) => ({
  units,
  maxPrice: parseVer(maxPrice),
  classes: [{ classId: 0, surcharge: 0n }],
});

test("a quote is the optimum: the cheapest units first", () => {
  const quote = quoteAllocation(wish(150, "25"), [], supply);
  assert.deepEqual(quote.nodes.map(({ nodeId, units }) => [nodeId, units]).sort(), [
    [1, 100],
    [2, 50],
  ]);
  assert.equal(quote.cost, parseVer("1750"));
  assert.equal(quote.openUnits, 0);
  assert.deepEqual(quote.classes, [{ name: "cpu/eu", units: 150, listed: 230, lowestAsk: parseVer("10") }]);
});

test("what waits before it is served first, and what is too dear stays open", () => {
  const before = [{ id: 7, units: 100, maxPrice: 30_000_000, classes: [{ classId: 0, surcharge: 0 }] }];
  const quote = quoteAllocation(wish(100, "15"), before, supply);
  assert.equal(quote.leasedUnits + quote.openUnits, 100);
  assert.equal(quote.leasedUnits, 80);
  assert.throws(() => quoteAllocation(wish(0, "1"), [], supply), /cannot be computed/);
  assert.throws(() => quoteAllocation(wish(1, "0.0000001"), [], supply), /finer than a micro-VER/);
});

test("a fee is rounded up", () => {
  assert.equal(feeOn(10_001n, 200), 201n);
  assert.equal(feeOn(0n, 200), 0n);
});
