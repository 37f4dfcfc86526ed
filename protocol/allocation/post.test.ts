import assert from "node:assert/strict";
import { test } from "node:test";

import { hexlify } from "ethers";
import fc from "fast-check";

import { fillStart, nodeOrder } from "../vrf/draws.ts";
import { buildProblem, objective, type Round } from "./model.ts";
import { pathSolver } from "./pathSolver.ts";
import { planRound, type RoundPlan } from "./plan.ts";
import { decodePost, encodePost, type Post } from "./post.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";
import { plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { type VerifiedPost, verifyPost } from "./verify.ts";

function planned(round: Round): RoundPlan {
  const plan = planRound(round, pathSolver);
  assert.ok(plan.kind === "plan", plan.kind === "refusal" ? plan.why : "");
  return plan;
}

/** The verified post, or the code of its refusal. */
function attempt(round: Round, post: Post | Uint8Array): VerifiedPost | RefusalCode {
  try {
    return verifyPost(round, post instanceof Uint8Array ? post : encodePost(round, post));
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.code;
  }
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
    assert.equal(attempt(round, wrong), "MalformedPost");
  }
  const bytes = encodePost(round, post);
  assert.equal(attempt(round, bytes.subarray(0, -1)), "MalformedPost");
  assert.equal(attempt(round, new Uint8Array([...bytes, 0])), "MalformedPost");
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

test("each change to a post has its own refusal", () => {
  const round = plainRound({
    tasks: [[4, 9000, { 1: 0, 2: 0 }]],
    supply: {
      1: [
        [1, 3],
        [5, 3],
      ],
      2: [
        [3, 1],
        [3, 1],
        [3, 1],
      ],
    },
  });
  const { post: bytes } = planned(round);
  const post = decodePost(round, bytes);
  const [one = [], two = []] = post.nodes;
  const [granted = 0] = two;
  assert.ok(typeof attempt(round, bytes) === "object");
  assert.deepEqual([post.flows, one, two.length], [[[3, 1]], [11], 1]);
  const idle = [21, 22, 23].find((id) => id !== granted) ?? 0;
  const both = [granted, idle].sort((a, b) => (nodeOrder(round.seed, a) < nodeOrder(round.seed, b) ? -1 : 1));
  const cases: [RefusalCode, Partial<Post>][] = [
    ["TaskOverfilled", { flows: [[3, 2]] }],
    ["OpenUnitsAffordable", { flows: [[3, 0]], nodes: [one, []] }],
    ["ClearingPriceMismatch", { flows: [[2, 2]] }],
    ["FlowNotCheapest", { clearing: [post.clearing[0] ?? 0n, 3001n * 1024n] }],
    ["FlowNotCheapest", { clearing: [1000n * 1024n, post.clearing[1] ?? 0n] }],
    ["NodeNotListed", { nodes: [[21], two] }],
    ["NodeNotListed", { nodes: [[99], two] }],
    ["AskAboveClearing", { nodes: [[12], two] }],
    ["NotInFilling", { nodes: [one, [idle]] }],
    ["NotInFilling", { nodes: [one, both] }],
    ["NodesOutOfOrder", { nodes: [[11, 11], two] }],
    ["ClassUnitsMismatch", { nodes: [[], two] }],
  ];
  for (const [code, change] of cases) {
    assert.equal(
      attempt(round, { ...post, ...change }),
      code,
      JSON.stringify(change, (_, v: unknown) => String(v)),
    );
  }
});

test("a post changed anywhere is refused, or grants the same rows, or is as cheap and what the seed chose", () => {
  let refused = 0;
  let accepted = 0;
  fc.assert(
    fc.property(
      rounds({ tasks: 5, classes: 4, nodes: 8, units: 4 }),
      fc.constantFrom("flow", "price", "tick", "node", "swap", "drop", "byte"),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: -2, max: 2 }),
      (round, kind, a, b, by) => {
        const plan = planned(round);
        const changed = mutate(round, plan.post, { kind, a, b, by });
        if (changed === undefined) return;
        const outcome = attempt(round, changed);
        if (typeof outcome === "string") {
          refused += 1;
          return;
        }
        accepted += 1;
        const problem = buildProblem(round);
        const open = problem.tasks.map(({ units }, t) => units - (outcome.flows[t] ?? []).reduce((x, y) => x + y, 0));
        assert.equal(objective(problem, { flows: outcome.flows, open }), plan.objective);
        const sameFlows = JSON.stringify(outcome.flows) === JSON.stringify(decodePost(round, plan.post).flows);
        if (sameFlows) assert.deepEqual(outcome.rows, plan.rows);
      },
    ),
    seeded(2500),
  );
  assert.ok(refused > 800 && accepted > 100, `${refused} refused, ${accepted} accepted`);
});

/** A post with one thing changed; undefined where there is nothing of that kind to change. */
function mutate(
  round: Round,
  bytes: Uint8Array,
  { kind, a, b, by }: { kind: string; a: number; b: number; by: number },
): Post | Uint8Array | undefined {
  const { clearing, flows, nodes } = decodePost(round, bytes);
  const k = a % round.classes.length;
  const list = nodes[k] ?? [];
  const withList = (changed: readonly number[]): Post => ({ clearing, flows, nodes: nodes.with(k, changed) });
  switch (kind) {
    case "flow": {
      const t = a % flows.length;
      const row = flows[t] ?? [];
      const moved = Math.max(0, (row[b % row.length] ?? 0) + by);
      return { clearing, flows: flows.with(t, row.with(b % row.length, moved)), nodes };
    }
    case "price":
    case "tick": {
      const step = kind === "price" ? 1 : (round.classes[k]?.tickSize ?? 0) * 1024;
      const price = (clearing[k] ?? 0n) + BigInt(by * step);
      return price < 0n ? undefined : { clearing: clearing.with(k, price), flows, nodes };
    }
    case "node": {
      const others = round.classes.flatMap((each) => each.nodes.map(({ id }) => id));
      const other = others[b % others.length];
      return list.length === 0 || other === undefined ? undefined : withList(list.with(b % list.length, other));
    }
    case "swap": {
      const [x, y] = [b % list.length, (b + 1) % list.length];
      return list.length < 2 ? undefined : withList(list.with(x, list[y] ?? 0).with(y, list[x] ?? 0));
    }
    case "drop":
      return list.length === 0 ? undefined : withList(list.toSpliced(b % list.length, 1));
    default: {
      const changed = Uint8Array.from(bytes);
      changed[a % bytes.length] = b & 0xff;
      return changed;
    }
  }
}
