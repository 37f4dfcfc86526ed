import assert from "node:assert/strict";
import { test } from "node:test";

import { keccak256 } from "ethers";

import { holderRank, rankHolders, replicaHolders } from "./holders.ts";

const nodes = Array.from({ length: 20 }, (_, i) => i + 1);

test("never the producer, never twice the same, the order of the list does not matter", () => {
  for (let lease = 1; lease <= 50; lease++) {
    const holders = replicaHolders(lease, 7, nodes, 3);
    assert.equal(new Set(holders).size, 3);
    assert.ok(!holders.includes(7));
    assert.deepEqual(replicaHolders(lease, 7, nodes.toReversed(), 3), holders);
  }
});

test("when a node leaves, only its copies move", () => {
  for (let lease = 1; lease <= 50; lease++) {
    const [before] = replicaHolders(lease, 7, nodes, 1);
    const without = nodes.filter((node) => node !== 3);
    if (before !== 3) assert.deepEqual(replicaHolders(lease, 7, without, 1), [before]);
  }
});

test("copies spread over the nodes", () => {
  const held = new Map<number, number>();
  for (let lease = 1; lease <= 2_000; lease++) {
    const [holder] = replicaHolders(lease, 0, nodes, 1);
    held.set(holder ?? 0, (held.get(holder ?? 0) ?? 0) + 1);
  }
  assert.equal(held.size, 20);
  for (const count of held.values()) assert.ok(count > 50 && count < 160, `one node holds ${String(count)} of 2000`);
});

test("fewer nodes than copies gives what there is", () => {
  assert.deepEqual(replicaHolders(1, 1, [1], 2), []);
  assert.deepEqual(replicaHolders(1, 1, [1, 2], 2), [2]);
});

test("the order is that of the hash, lowest first, and a node's place depends on nobody else", () => {
  for (let lease = 1; lease <= 20; lease++) {
    const ranked = rankHolders(lease, 7, nodes);
    const ranks = ranked.map((node) => holderRank(lease, node));
    assert.deepEqual(
      ranks,
      ranks.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    assert.deepEqual(
      rankHolders(
        lease,
        7,
        nodes.filter((node) => node !== 3),
      ),
      ranked.filter((node) => node !== 3),
    );
  }
});

test("the hash is the packed one of two uint32", () => {
  assert.equal(holderRank(1, 2), BigInt(keccak256("0x0000000100000002")) >> 128n);
  assert.equal(holderRank(0xffffffff, 1), BigInt(keccak256("0xffffffff00000001")) >> 128n);
});
