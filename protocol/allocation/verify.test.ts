import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { nodeOrder } from "../vrf/draws.ts";
import { buildProblem, objective, type Round } from "./model.ts";
import { decodePost, encodePost, type Post } from "./post.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";
import { planned, plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { type VerifiedPost, verifyPost } from "./verify.ts";

/** The verified post, or the code of its refusal. */
function attempt(round: Round, post: Post | Uint8Array): VerifiedPost | RefusalCode {
  try {
    return verifyPost(round, post instanceof Uint8Array ? post : encodePost(round, post));
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.code;
  }
}

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
