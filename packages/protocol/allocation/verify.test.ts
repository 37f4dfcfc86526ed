import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { nodeOrder } from "../vrf/draws.ts";
import { buildProblem, type Problem, type Round } from "./model.ts";
import { decodePost, encodePost, type Post } from "./post.ts";
import { RefusalError, type RefusalCode } from "./refusal.ts";
import { everyChange } from "./testing/post-changes.ts";
import { planned, plainRound } from "./testing/examples.ts";
import { Judge } from "./testing/judge.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { type VerifiedPost, verifyPost } from "./verify.ts";

/** The verified post, or the code of its refusal. */
function attempt(round: Round, post: Post | Uint8Array, problem?: Problem): VerifiedPost | RefusalCode {
  try {
    return verifyPost(round, post instanceof Uint8Array ? post : encodePost(round, post), problem);
  } catch (error) {
    assert.ok(error instanceof RefusalError, String(error));
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

test("every post changed by a unit, a tick, a node or a swap is refused, unless it is as good and what the seed chose", () => {
  let refused = 0;
  let accepted = 0;
  fc.assert(
    fc.property(rounds({ tasks: 3, classes: 3, nodes: 3, units: 3 }), (round) => {
      const judge = new Judge(round);
      const { post: bytes } = planned(round);
      const honest = decodePost(round, bytes);
      const problem = buildProblem(round);
      assert.ok(judge.isRight(honest), "the honest post is right");
      for (const changed of everyChange(round, honest, (flows) => judge.nodesFor(flows))) {
        const outcome = attempt(round, changed, problem);
        const right = judge.isRight(changed);
        assert.equal(
          typeof outcome === "object",
          right,
          `${changed.change}: ${typeof outcome === "string" ? outcome : "accepted"}`,
        );
        if (right) accepted += 1;
        else refused += 1;
      }
    }),
    seeded(3000),
  );
  assert.ok(refused > 50_000 && accepted > 2_000, `${refused} refused, ${accepted} accepted`);
});

test("a post with any byte changed is refused, or right", () => {
  fc.assert(
    fc.property(rounds({ tasks: 3, classes: 3, nodes: 3, units: 3 }), fc.nat(), fc.nat(255), (round, at, value) => {
      const judge = new Judge(round);
      const changed = Uint8Array.from(planned(round).post);
      changed[at % changed.length] = value;
      const outcome = attempt(round, changed);
      if (typeof outcome === "object") assert.ok(judge.isRight(decodePost(round, changed)));
    }),
    seeded(1000),
  );
});
