import assert from "node:assert/strict";
import { test } from "node:test";

import { keccak256, toBeHex } from "ethers";

import vectors from "../../../test/vectors/reassignment.json" with { type: "json" };
import { orphansOf } from "../../../test/vectors/reassignment.ts";
import { drawBatch, type DrawRule, list, type ListedNode, type Orphan } from "./reassignment.ts";

const RULE: DrawRule = {
  latencyFloor: 50,
  latencyMin: 100,
  loadFloor: 2_000,
  averageLoad: 5_000,
  band: 1_000,
  reportedSince: 900,
};
const seedOf = (i: number): string => keccak256(toBeHex(i, 32));
const node = (id: number, changes: Partial<ListedNode> = {}): ListedNode => {
  const free = changes.free ?? 8;
  return {
    id,
    owner: `owner ${id}`,
    free,
    price: 10,
    load: 0,
    latency: 0,
    capacity: free,
    reportedAt: 1_000,
    arrived: 0,
    ...changes,
  };
};
const orphanOf = (nodes: readonly ListedNode[], changes: Partial<Orphan> = {}): Orphan => ({
  leaseId: 1,
  price: 20,
  owner: "owner 0",
  start: 0,
  count: 1,
  maxPrice: 100,
  classes: [list(0, 0, nodes)],
  ...changes,
});

test("batches drawn on the contracts are drawn the same", () => {
  for (const vector of vectors.batches) {
    assert.deepEqual(drawBatch(vector.seed, orphansOf(vector), vector.rule), vector.drawn, vector.name);
  }
  assert.ok(vectors.batches.length >= 5);
});

/*
 * Chi-square against the exact proportions, which the test works out in its own way. The seeds are fixed: the statistic is the
 * same in every run, and far below what one wrong weight gives (see the next test).
 */
const MARKET: ListedNode[] = [
  node(1, { free: 5, load: 3_000 }),
  node(2, { free: 8, latency: 110 }),
  node(3, { free: 3, load: 5_000, latency: 110, price: 15 }),
  node(4, { free: 15, load: 2_500, latency: 150, price: 15 }),
  node(5, { free: 10, capacity: 20, load: 1_000, latency: 20, price: 20 }),
  node(6, { free: 11, load: 1, latency: 300 }),
  // None of these may ever win: full, dearer than the lease that ended and than the market, wholly loaded, silent, and of the
  // owner whose lease ended.
  node(7, { free: 0 }),
  node(8, { price: 21 }),
  node(9, { load: 10_000 }),
  node(10, { reportedAt: 899 }),
  node(11, { owner: "owner 0", price: 1 }),
];
const DRAWS = 10_000;

function wins(): Map<number, number> {
  const won = new Map<number, number>();
  const orphan = orphanOf(MARKET);
  for (let i = 0; i < DRAWS; i++) {
    for (const { nodeId } of drawBatch(seedOf(i), [orphan], RULE)) won.set(nodeId, (won.get(nodeId) ?? 0) + 1);
  }
  return won;
}

function chiSquare(won: ReadonlyMap<number, number>, weightOf: (node: ListedNode) => number): number {
  const eligible = MARKET.slice(0, 6);
  const total = eligible.reduce((sum, node) => sum + weightOf(node), 0);
  const drawn = eligible.reduce((sum, { id }) => sum + (won.get(id) ?? 0), 0);
  return eligible.reduce((sum, node) => {
    const expected = (drawn * weightOf(node)) / total;
    return sum + ((won.get(node.id) ?? 0) - expected) ** 2 / expected;
  }, 0);
}

const exact = ({ free, capacity, load, latency }: ListedNode, loadFloor = 0.2, latencyMin = 100) =>
  (free * (1 - Math.max(load / 10_000, 1 - free / capacity, loadFloor))) / (Math.max(latency, latencyMin) + 50);

test("nodes win in exact proportion to free × (1 - load) / (latency + L0), with the smallest values that count", () => {
  const won = wins();
  for (const id of [7, 8, 9, 10, 11]) assert.equal(won.get(id), undefined, `node ${id} never wins`);
  // 5 degrees of freedom: 20.5 is passed by chance once in a thousand.
  const statistic = chiSquare(won, (each) => exact(each));
  assert.ok(statistic < 20.5, `chi-square ${statistic}`);
  // The test sees laws that are wrong: without either bound, one node favoured, capacity for free units, no loads.
  const wrong: ((node: ListedNode) => number)[] = [
    (each) => exact(each, 0),
    (each) => exact(each, 0.2, 0),
    (each) => exact(each) * (each.id === 2 ? 1.2 : 1),
    (each) => (exact(each) * each.capacity) / each.free,
    ({ free, latency }) => free / (Math.max(latency, 100) + 50),
  ];
  for (const weightOf of wrong) assert.ok(chiSquare(won, weightOf) > 20.5);
});

test("reports that say less than what counts gain nothing", () => {
  const shares = (mine: Partial<ListedNode>): number => {
    const nodes = [node(1, mine), ...[2, 3, 4].map((id) => node(id, { load: 2_000, latency: 100 }))];
    let won = 0;
    for (let i = 0; i < 1_000; i++) won += drawBatch(seedOf(i), [orphanOf(nodes)], RULE)[0]?.nodeId === 1 ? 1 : 0;
    return won;
  };
  assert.equal(shares({ load: 0, latency: 0 }), shares({ load: 2_000, latency: 100 }));
  assert.ok(shares({ load: 6_000, latency: 400 }) < shares({}) / 3);
  // Nor does a report from before the units were leased.
  assert.ok(shares({ load: 0, capacity: 16 }) < shares({}) * 0.8);
});

test("a node counts for four times the average of its price's nodes at most", () => {
  const nodes = [node(1, { free: 400 }), ...Array.from({ length: 9 }, (_, i) => node(2 + i, { free: 10 }))];
  let large = 0;
  let drawn = 0;
  for (let i = 0; i < 2_000; i++) {
    const [first] = drawBatch(seedOf(i), [orphanOf(nodes)], RULE);
    if (!first) continue;
    drawn += 1;
    if (first.nodeId === 1) large += 1;
  }
  // The average is 49: it counts for 196, the others for 90 together.
  assert.ok(drawn > 1_990);
  assert.ok(Math.abs(large / drawn - 196 / 286) < 0.03, `${large} of ${drawn}`);
});

test("no taker is paid more than the lease that ended, or than the market asks for the units", () => {
  const nodes = [node(1, { price: 5, free: 2 }), node(2, { price: 8, free: 2 }), node(3, { price: 9, free: 30 })];
  const takers = (changes: Partial<Orphan>): Set<number> => {
    const ids = Array.from({ length: 300 }, (_, i) => drawBatch(seedOf(i), [orphanOf(nodes, changes)], RULE));
    return new Set(ids.flat().map(({ nodeId }) => nodeId));
  };
  assert.deepEqual(takers({ price: 0, count: 1 }), new Set([1]));
  assert.deepEqual(takers({ price: 0, count: 4 }), new Set([1, 2]));
  assert.deepEqual(takers({ price: 8, count: 1 }), new Set([1, 2]));
  assert.deepEqual(takers({ price: 0, count: 5 }), new Set([1, 2, 3]));
  assert.deepEqual(takers({ price: 50, count: 1, maxPrice: 8 }), new Set([1, 2]));
  // More than the class lists: the cheapest first, one after the other.
  assert.deepEqual(takers({ price: 0, count: 40 }), new Set([1, 2, 3]));
  // Another class is cheaper, but for its surcharge.
  const classes = [list(0, 0, nodes), list(1, 6, [node(4, { price: 1 })])];
  assert.deepEqual(takers({ price: 0, count: 3, classes }), new Set([1, 4]));
  assert.deepEqual(takers({ price: 0, count: 1, classes }), new Set([1]));
});

test("units that move go to nodes below the band, and only as many as bring them to the average and one unit beyond", () => {
  const taker = (changes: Partial<ListedNode>, cause: "load" | "power" = "load", takers?: number[]) => {
    const nodes = [node(1, { free: 10, capacity: 10, ...changes })];
    const drawn = Array.from({ length: 50 }, (_, i) =>
      drawBatch(seedOf(i), [orphanOf(nodes, { count: 9, cause, ...(takers && { takers }) })], RULE),
    );
    return Math.max(0, ...drawn.map((each) => each.reduce((sum, { count }) => sum + count, 0)));
  };
  assert.equal(taker({ load: 2_000 }), 4);
  assert.equal(taker({ load: 3_999 }), 2);
  assert.equal(taker({ load: 4_000 }), 0);
  assert.equal(taker({ load: 2_000, arrived: 2 }), 0);
  assert.equal(taker({ load: 1_000, arrived: 2 }), 3);
  assert.equal(taker({ load: 1_000, reportedAt: 0 }), 0);
  // What comes from a throttled node stays within the band.
  assert.equal(taker({ load: 4_000 }, "power"), 2);
  assert.equal(taker({ load: 4_000 }, "power", [1]), 0);
});

test("a range that is larger than a node goes on to others, without gap or overlap", () => {
  const nodes = [1, 2, 3].map((id) => node(id, { free: 3, capacity: 4 }));
  const orphans = [orphanOf(nodes, { count: 5, start: 7 }), orphanOf(nodes, { leaseId: 2, count: 6, start: 20 })];
  for (let i = 0; i < 200; i++) {
    const drawn = drawBatch(seedOf(i), orphans, RULE);
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
  assert.deepEqual(drawBatch(seedOf(1), [orphanOf([])], RULE), []);
  assert.deepEqual(drawBatch(seedOf(1), [orphanOf(MARKET.slice(6))], RULE), []);
});
