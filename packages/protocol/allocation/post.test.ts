import assert from "node:assert/strict";
import { test } from "node:test";

import { hexlify } from "ethers";
import fc from "fast-check";

import { fillStart, nodeOrder } from "../vrf/draws.ts";
import type { Round } from "./model.ts";
import { decodePost, encodePost, type Post } from "./post.ts";
import { RefusalError, type RefusalCode } from "./refusal.ts";
import { plainRound, planned } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { verifyPost } from "./verify.ts";

/** The code that verification refuses a post with. */
function refusalOf(round: Round, post: Post | Uint8Array): RefusalCode | undefined {
  try {
    verifyPost(round, post instanceof Uint8Array ? post : encodePost(round, post));
  } catch (error) {
    assert.ok(error instanceof RefusalError, String(error));
    return error.code;
  }
  return undefined;
}

test("the bytes are those that RoundPost.sol reads", () => {
  const round = plainRound({
    tasks: [
      [2, 9000, { 3: 0, 5: 0 }],
      [1, 9000, { 5: 0 }],
    ],
    supply: { 3: [[1, 1]], 5: [[1, 1]] },
  });
  const post = { clearing: [0x0102030405060708n, 0xfn], flows: [[1, 0x010203], [7]], nodes: [[0x31], []] };
  const bytes = encodePost(round, post);
  assert.equal(
    hexlify(bytes),
    "0x" + "0102030405060708" + "000000000000000f" + "000001" + "010203" + "000007" + "0001" + "00000031" + "0000",
  );
  assert.deepEqual(decodePost(round, bytes), post);
});

test("what does not fit its bytes, or the round, is refused", () => {
  const round = plainRound({ tasks: [[2, 9000, { 1: 0 }]], supply: { 1: [[1, 1]] } });
  const post = { clearing: [1n], flows: [[1]], nodes: [[11]] };
  for (const wrong of [
    { ...post, clearing: [2n ** 64n] },
    { ...post, clearing: [-1n] },
    { ...post, clearing: [] },
    { ...post, flows: [[2 ** 24]] },
    { ...post, flows: [[1, 1]] },
    { ...post, flows: [] },
    { ...post, nodes: [[2 ** 32]] },
    { ...post, nodes: [Array.from({ length: 2 ** 16 }, (_, i) => i)] },
    { ...post, nodes: [[], []] },
  ]) {
    assert.equal(refusalOf(round, wrong), "MalformedPost");
  }
  const bytes = encodePost(round, post);
  assert.equal(refusalOf(round, bytes.subarray(0, -1)), "MalformedPost");
  assert.equal(refusalOf(round, new Uint8Array([...bytes, 0])), "MalformedPost");
});

test("posts make the round trip, and their rows are what the round grants", () => {
  fc.assert(
    fc.property(rounds({ tasks: 6, classes: 4, nodes: 8, units: 5 }), (round) => {
      const plan = planned(round);
      const decoded = decodePost(round, plan.post);
      assert.deepEqual(encodePost(round, decoded), plan.post);
      const nodes = new Map(
        round.classes.flatMap(({ id, tickSize, nodes }) => nodes.map((n) => [n.id, { id, tickSize, n }])),
      );
      const perNode = new Map<number, number>();
      round.tasks.forEach((task, t) => {
        const rows = plan.rows.filter(({ taskId }) => taskId === task.id);
        const granted = rows.reduce((sum, { units }) => sum + units, 0);
        assert.equal(granted + (plan.openUnits[t]?.units ?? NaN), task.units);
        for (const row of rows) {
          const node = nodes.get(row.nodeId);
          assert.ok(node && task.classes.some(({ classId }) => classId === node.id) && row.units > 0);
          assert.equal(row.price, node.n.tick * node.tickSize);
          perNode.set(row.nodeId, (perNode.get(row.nodeId) ?? 0) + row.units);
        }
      });
      for (const [id, units] of perNode) assert.ok(units <= (nodes.get(id)?.n.units ?? 0), "nobody is overbooked");
      assert.equal(
        plan.cost.microVer,
        plan.rows.reduce((sum, row) => sum + BigInt(row.units * row.price), 0n),
      );
      assert.equal(plan.cost.wei, plan.cost.microVer * 10n ** 12n);
    }),
    seeded(400),
  );
});

test("the marginal tick is filled as a ring from where the seed says", () => {
  const supply = {
    4: [
      [2, 3],
      [5, 2],
      [5, 2],
      [5, 2],
      [5, 2],
      [6, 9],
    ],
  } as const;
  const starts = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const seed = `0x${i.toString(16).padStart(64, "0")}`;
    const round = plainRound({ seed, tasks: [[8, 9000, { 4: 0 }]], supply });
    const start = fillStart(seed, 4, 4);
    starts.add(start);
    // Node 41 stands below the margin; 42 to 45 form the ring, of which two are used up and the third gives one unit.
    const ring = [0, 1, 2].map((step) => 42 + ((start + step) % 4));
    const expected = new Map([[41, 3], ...ring.map((id, step) => [id, step === 2 ? 1 : 2] as const)]);
    const plan = planned(round);
    assert.deepEqual(new Map(plan.rows.map(({ nodeId, units }) => [nodeId, units])), expected);
    const order = plan.rows.map(({ nodeId }) => nodeOrder(seed, nodeId));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => (a < b ? -1 : 1)),
    );
  }
  assert.equal(starts.size, 4);
});

test("rows are laid class by class along the tasks in the round's order", () => {
  const round = plainRound({
    tasks: [
      [3, 9000, { 1: 0 }],
      [4, 9000, { 1: 0 }],
    ],
    supply: {
      1: [
        [1, 2],
        [1, 2],
        [2, 3],
      ],
    },
  });
  const [first, second, third] = [11, 12, 13].sort((a, b) =>
    nodeOrder(round.seed, a) < nodeOrder(round.seed, b) ? -1 : 1,
  );
  const sizes = new Map([
    [11, 2],
    [12, 2],
    [13, 3],
  ]);
  const pieces: [number, number | undefined, number][] = [];
  let task = 1;
  let left = 3;
  for (const node of [first, second, third]) {
    for (let units = sizes.get(node ?? 0) ?? 0; units > 0;) {
      const piece = Math.min(units, left);
      pieces.push([task, node, piece]);
      units -= piece;
      left -= piece;
      if (left === 0) [task, left] = [2, 4];
    }
  }
  assert.deepEqual(
    planned(round).rows.map(({ taskId, nodeId, units }) => [taskId, nodeId, units]),
    pieces,
  );
});
