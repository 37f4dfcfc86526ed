import assert from "node:assert/strict";
import { test } from "node:test";

import { keccak256, toBeHex } from "ethers";

import vectors from "../../../test/vectors/reassignment.json" with { type: "json" };
import { orphansOf } from "../../../test/vectors/reassignment.ts";
import { bucketOf, drawBatch, type Orphan, pool, type PooledNode } from "./reassignment.ts";

const L0 = 50;
const seedOf = (i: number): string => keccak256(toBeHex(i, 32));
const orphanOf = (nodes: readonly PooledNode[], changes: Partial<Orphan> = {}): Orphan => ({
  leaseId: 1,
  nodeId: 0,
  start: 0,
  count: 1,
  maxPrice: 100,
  classes: [pool(0, 0, nodes)],
  ...changes,
});

test("batches drawn on the contracts are drawn the same", () => {
  for (const vector of vectors.batches) {
    assert.deepEqual(drawBatch(vector.seed, orphansOf(vector), vector.latencyFloor), vector.drawn, vector.name);
  }
  assert.ok(vectors.batches.length >= 5);
});

/*
 * Chi-square against the exact proportions free × (1 - load) / (latency + L0), which the test reckons in its own way. The
 * seeds are fixed: the statistic is the same in every run, and far below what one wrong weight gives (see the next test).
 */
const MARKET: PooledNode[] = [
  { id: 1, capacity: 1, free: 1, price: 10, load: 0, latency: 0 },
  { id: 2, capacity: 8, free: 8, price: 10, load: 0, latency: 10 },
  { id: 3, capacity: 8, free: 3, price: 10, load: 5_000, latency: 10 },
  { id: 4, capacity: 15, free: 15, price: 99, load: 2_500, latency: 150 },
  { id: 5, capacity: 20, free: 10, price: 1, load: 9_000, latency: 20 },
  { id: 6, capacity: 30, free: 11, price: 1, load: 1, latency: 300 },
  // None of these may ever win: full, too dear, wholly loaded.
  { id: 7, capacity: 4, free: 0, price: 10, load: 0, latency: 0 },
  { id: 8, capacity: 7, free: 7, price: 101, load: 0, latency: 0 },
  { id: 9, capacity: 7, free: 7, price: 10, load: 10_000, latency: 0 },
  // The failed node itself.
  { id: 10, capacity: 9, free: 9, price: 10, load: 0, latency: 0 },
];
const DRAWS = 10_000;

function wins(): Map<number, number> {
  const won = new Map<number, number>();
  const orphan = orphanOf(MARKET, { nodeId: 10 });
  for (let i = 0; i < DRAWS; i++) {
    for (const { nodeId } of drawBatch(seedOf(i), [orphan], L0)) won.set(nodeId, (won.get(nodeId) ?? 0) + 1);
  }
  return won;
}

function chiSquare(won: ReadonlyMap<number, number>, weightOf: (node: PooledNode) => number): number {
  const eligible = MARKET.slice(0, 6);
  const total = eligible.reduce((sum, node) => sum + weightOf(node), 0);
  const drawn = eligible.reduce((sum, { id }) => sum + (won.get(id) ?? 0), 0);
  return eligible.reduce((sum, node) => {
    const expected = (drawn * weightOf(node)) / total;
    return sum + ((won.get(node.id) ?? 0) - expected) ** 2 / expected;
  }, 0);
}

const exact = ({ free, load, latency }: PooledNode) => (free * (1 - load / 10_000)) / (latency + L0);

test("nodes win in exact proportion to free × (1 - load) / (latency + L0)", () => {
  const won = wins();
  for (const id of [7, 8, 9, 10]) assert.equal(won.get(id), undefined, `node ${id} never wins`);
  // 5 degrees of freedom: 20.5 is passed by chance once in a thousand.
  const statistic = chiSquare(won, exact);
  assert.ok(statistic < 20.5, `chi-square ${statistic}`);
  // The test sees laws that are wrong: another floor, one node favoured, capacity for free units, no loads.
  const wrong: ((node: PooledNode) => number)[] = [
    ({ free, load, latency }) => (free * (1 - load / 10_000)) / (latency + 1.5 * L0),
    (node) => exact(node) * (node.id === 2 ? 1.2 : 1),
    ({ capacity, load, latency }) => (capacity * (1 - load / 10_000)) / (latency + L0),
    ({ free, latency }) => free / (latency + L0),
  ];
  for (const weightOf of wrong) assert.ok(chiSquare(won, weightOf) > 20.5);
});

test("a range that is larger than a node goes on to others, without gap or overlap", () => {
  const nodes = [1, 2, 3].map((id) => ({ id, capacity: 4, free: 3, price: 10, load: 0, latency: 0 }));
  const orphans = [orphanOf(nodes, { count: 5, start: 7 }), orphanOf(nodes, { leaseId: 2, count: 6, start: 20 })];
  for (let i = 0; i < 200; i++) {
    const drawn = drawBatch(seedOf(i), orphans, L0);
    let [next, used] = [7, 0];
    for (const { start, count } of drawn.filter(({ leaseId }) => leaseId === 1)) {
      assert.equal(start, next);
      next += count;
    }
    for (const { count } of drawn) used += count;
    assert.ok(used <= 9, "nobody is overbooked");
  }
});

test("nothing is drawn where nobody can take it", () => {
  assert.deepEqual(drawBatch(seedOf(1), [orphanOf([])], L0), []);
  assert.deepEqual(drawBatch(seedOf(1), [orphanOf(MARKET.slice(6), { nodeId: 10 })], L0), []);
});

test("buckets are orders of magnitude", () => {
  assert.deepEqual([1, 2, 3, 4, 7, 8, 2 ** 24 - 1].map(bucketOf), [1, 2, 2, 3, 3, 4, 24]);
  for (const capacity of [0, -1, 1.5, 2 ** 24]) assert.throws(() => bucketOf(capacity), /no capacity/);
});
