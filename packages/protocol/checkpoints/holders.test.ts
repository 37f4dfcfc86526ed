import assert from "node:assert/strict";
import { test } from "node:test";

import { solidityPackedKeccak256 } from "ethers";

import { drawnNode, type HolderDraw, holderCandidate, holdersOf, type PoolPosition } from "./holders.ts";

/** Leases that figures are computed from. */
const LEASES = 2_000;
/** Nodes of the network, the one with id 1 being the producer. */
const NODES = 1_000;

const draw: HolderDraw = {
  salt: 0x0123_4567_89ab_cdefn,
  freeze: 8,
  positions: NODES,
  average: 800n,
  taskId: 7,
  start: 0,
};

function position(nodeId: number, weight = 800n): PoolPosition {
  return { nodeId, active: true, since: 3, weight, grownAt: 3, weightBefore: weight };
}

/** Holders of one lease after another, with the nodes that `weightOf` gives a stake. */
function* holders(replicas: number, weightOf: (nodeId: number) => bigint, alive: (nodeId: number) => boolean) {
  const pool = Array.from({ length: NODES }, (_, i) => position(i + 1, weightOf(i + 1)));
  const average = pool.reduce((sum, { weight }) => sum + weight, 0n) / BigInt(NODES);
  const at = (i: number): PoolPosition => pool[i] ?? position(0);
  for (let taskId = 1; taskId <= LEASES; taskId++) {
    yield holdersOf({ ...draw, average, taskId }, replicas, at, (nodeId) => nodeId !== 1 && alive(nodeId));
  }
}

/** Share of the leases of which at least `needed` holders are in the set. */
function share(all: Iterable<readonly { readonly nodeId: number }[]>, is: (nodeId: number) => boolean, needed: number) {
  let count = 0;
  for (const list of all) if (list.filter(({ nodeId }) => is(nodeId)).length >= needed) count++;
  return count / LEASES;
}

const within = (value: number, low: number, high: number): void => {
  assert.ok(value >= low && value <= high, `${String(value)} is not within ${String(low)} and ${String(high)}`);
};

test("a candidate is the hash of the packed salt, task, first unit and number", () => {
  for (const [taskId, start, k] of [
    [1, 0, 0],
    [0xffff_ffff, 0xf_ffff, 63],
    [9, 70_000, 5],
  ] as const) {
    const types = ["uint64", "uint32", "uint24", "uint8"];
    const word = BigInt(solidityPackedKeccak256(types, [draw.salt, taskId, start, k]));
    const { position, chance } = holderCandidate({ ...draw, taskId, start }, k);
    assert.equal(position, Number((word >> 128n) % BigInt(NODES)));
    assert.equal(chance, word % 2n ** 128n);
  }
});

test("who joined after the freeze, left or drains is not drawn; stake that was added later does not count", () => {
  assert.equal(drawnNode(position(5), draw, 0n), 5);
  assert.equal(drawnNode({ ...position(5), since: 8 }, draw, 0n), undefined);
  assert.equal(drawnNode({ ...position(5), active: false }, draw, 0n), undefined);
  assert.equal(drawnNode({ ...position(0), active: true }, draw, 0n), undefined);
  const grown = { ...position(5), weight: 10_000n, weightBefore: 100n, grownAt: 8 };
  assert.equal(drawnNode(grown, draw, 99n), 5);
  assert.equal(drawnNode(grown, draw, 100n), undefined);
  assert.equal(drawnNode({ ...grown, grownAt: 7 }, draw, 100n), 5);
  // A slash counts at once, whenever the stake grew.
  assert.equal(drawnNode({ ...grown, weight: 50n }, draw, 99n), undefined);
});

test("as many holders as there are where nodes are few", () => {
  const at = (i: number): PoolPosition => position(i + 1);
  const few = holdersOf({ ...draw, positions: 3 }, 4, at, (nodeId) => nodeId !== 1);
  assert.deepEqual(new Set(few.map(({ nodeId }) => nodeId)), new Set([2, 3]));
  assert.deepEqual(
    holdersOf({ ...draw, positions: 1 }, 2, at, (nodeId) => nodeId !== 1),
    [],
  );
});

test("holders are the first that count, each node once, and are found within a few candidates", () => {
  let last = 0;
  for (const list of holders(
    2,
    () => 800n,
    () => true,
  )) {
    assert.equal(new Set(list.map(({ nodeId }) => nodeId)).size, 4);
    last += list.at(-1)?.candidate ?? NaN;
  }
  within(last / LEASES, 3, 3.1);
});

/*
 * A tenth of the nodes are a stranger's. Before, holders were the about eight nodes for each receipt whose hash with the
 * lease was low enough, whatever their stake: a stranger alone signed for 57 % of the leases of one receipt (1 − 0.9^8), 49 %
 * of those of two.
 */
test("a tenth of the nodes signs alone for few leases: in proportion to its stake", () => {
  const stranger = (nodeId: number): boolean => nodeId % 10 === 0;
  const even = (): bigint => 800n;
  // 1 − 0.9^3; 1 − 0.9^4 − 4 × 0.1 × 0.9^3
  within(
    share(
      holders(1, even, () => true),
      stranger,
      1,
    ),
    0.24,
    0.3,
  );
  within(
    share(
      holders(2, even, () => true),
      stranger,
      2,
    ),
    0.04,
    0.065,
  );
  // With the minimum stake, an eighth of the others': 1.4 % of the stake.
  const small = (nodeId: number): bigint => (stranger(nodeId) ? 100n : 800n);
  within(
    share(
      holders(1, small, () => true),
      stranger,
      1,
    ),
    0.03,
    0.06,
  );
  within(
    share(
      holders(2, small, () => true),
      stranger,
      2,
    ),
    0,
    0.004,
  );
});

/* Before, 80 % of nodes that were dead but active left a fifth of the leases without a holder that answers (0.8^8). */
test("where four nodes in five are dead, every lease finds its holders among the others", () => {
  const alive = (nodeId: number): boolean => nodeId % 5 === 0;
  assert.equal(
    share(
      holders(1, () => 800n, alive),
      alive,
      1,
    ),
    1,
  );
  within(
    share(
      holders(2, () => 800n, alive),
      alive,
      2,
    ),
    0.9999,
    1,
  );
});

test("what a node of an average stake is drawn is the same for all, half the stake is drawn half as often", () => {
  const drawn = new Map<number, number>();
  const weight = (nodeId: number): bigint => (nodeId % 2 === 0 ? 1_000n : 500n);
  for (const list of holders(1, weight, () => true)) {
    for (const { nodeId } of list) drawn.set(nodeId % 2, (drawn.get(nodeId % 2) ?? 0) + 1);
  }
  within((drawn.get(1) ?? 0) / (drawn.get(0) ?? 0), 0.62, 0.71);
});
