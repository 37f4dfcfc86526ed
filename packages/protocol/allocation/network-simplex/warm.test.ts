import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { findPrices } from "../certificate.ts";
import { buildProblem, objective, type Problem } from "../model.ts";
import { networkSimplex } from "../network-simplex.ts";
import { CHANGES } from "../testing/market-changes.ts";
import { type MarketSize, marketProblem } from "../testing/market.ts";
import { rounds, seeded } from "../testing/rounds.ts";
import { WarmNetworkSimplex } from "./warm.ts";

const kinds = Object.keys(CHANGES);

/** Solves warm and cold; both must be certified and cost the same. @returns The cost. */
function sameAsCold(warm: WarmNetworkSimplex, problem: Problem): bigint {
  const primal = warm.solve(problem);
  const finding = findPrices(problem, primal);
  assert.ok(finding.optimal, finding.optimal ? "" : finding.exchange.words);
  const cold = networkSimplex.solve(problem);
  const other = findPrices(problem, cold);
  assert.ok(other.optimal);
  assert.equal(objective(problem, primal), objective(problem, cold));
  // What is posted besides the flows does not depend on the start, even where there are several optima.
  assert.deepEqual(finding.certificate, other.certificate);
  return objective(problem, primal);
}

/** Draws that follow from a number. */
function drawsOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("after any sequence of changes it finds the cost that a cold start finds, and is certified each time", () => {
  const starts = new Map<string, number>();
  let differ = 0;
  const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat()), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(rounds({ tasks: 12, classes: 6, nodes: 8, units: 6 }), steps, (round, changes) => {
      const warm = new WarmNetworkSimplex();
      let problem = buildProblem(round);
      let cost = sameAsCold(warm, problem);
      for (const [kind, seed] of changes) {
        problem = CHANGES[kind]?.(problem, drawsOf(seed)) ?? problem;
        const next = sameAsCold(warm, problem);
        if (next !== cost) differ += 1;
        cost = next;
        starts.set(warm.last?.start ?? "", (starts.get(warm.last?.start ?? "") ?? 0) + 1);
      }
    }),
    seeded(1500),
  );
  // The basis was used, and the changes changed something.
  assert.deepEqual([...starts.keys()], ["warm"]);
  assert.ok(differ > 4000, `${differ} changes of the cost`);
});

test("from one round to a wholly other one, whose ids happen to be the same, the start does not mislead it", () => {
  for (const [size, runs] of [
    [{ tasks: 6, classes: 5, nodes: 6, units: 4 }, 1500],
    [{ tasks: 40, classes: 12, nodes: 12, units: 12 }, 60],
  ] as const) {
    fc.assert(
      fc.property(fc.array(rounds(size), { minLength: 2, maxLength: 5 }), (sequence) => {
        const warm = new WarmNetworkSimplex();
        for (const round of sequence) sameAsCold(warm, buildProblem(round));
      }),
      seeded(runs),
    );
  }
});

test("prices as high as they can be stay exact, or the start is given up", () => {
  const top = 2 ** 50 - 1;
  const warm = new WarmNetworkSimplex();
  for (let seed = 1; seed <= 200; seed++) {
    const market = marketProblem({ tasks: 12, classes: 7, nodes: 40, density: 0.7, demand: 0.9, seed });
    const extreme = (value: number): number => ((value + seed) % 3 === 0 ? top - (value % 1024) : value % 1024);
    sameAsCold(warm, {
      tasks: market.tasks.map((task) => ({
        ...task,
        maxPrice: top,
        choices: task.choices.map((choice) => ({ ...choice, surcharge: extreme(choice.surcharge) })),
      })),
      classes: market.classes.map(({ steps, ...each }) => ({
        ...each,
        steps: steps.map((step, i) => ({ ...step, price: i < steps.length / 2 ? i : top - steps.length + i })),
      })),
    });
  }
});

test("a small change to a large market takes a small fraction of the pivots of a cold start", () => {
  const size: MarketSize = { tasks: 300, classes: 24, nodes: 4000, density: 0.5, demand: 0.9, seed: 5 };
  const cold = new WarmNetworkSimplex();
  for (const kind of kinds) {
    const warm = new WarmNetworkSimplex();
    let problem = marketProblem(size);
    sameAsCold(warm, problem);
    let [warmPivots, coldPivots] = [0, 0];
    for (let i = 0; i < 8; i++) {
      problem = CHANGES[kind]?.(problem, drawsOf(i)) ?? problem;
      sameAsCold(warm, problem);
      assert.equal(warm.last?.start, "warm");
      warmPivots += warm.last.pivots;
      cold.forget();
      cold.solve(problem);
      coldPivots += cold.last?.pivots ?? 0;
    }
    assert.ok(warmPivots * 5 < coldPivots, `${kind}: ${warmPivots} of ${coldPivots} pivots`);
  }
});

test("the same problem again takes no pivots, a forgotten basis a cold start, and ids that come twice no basis", () => {
  const problem = marketProblem({ tasks: 50, classes: 8, nodes: 500, density: 0.5, demand: 0.9, seed: 2 });
  const warm = new WarmNetworkSimplex();
  const first = warm.solve(problem);
  assert.equal(warm.last?.start, "cold");
  assert.deepEqual(warm.solve(problem), first);
  assert.deepEqual(warm.last, { start: "warm", pivots: 0 });
  warm.forget();
  warm.solve(problem);
  assert.equal(warm.last.start, "cold");
  const [one] = problem.tasks;
  assert.ok(one);
  const twice = { ...problem, tasks: [...problem.tasks, one] };
  sameAsCold(warm, twice);
  assert.equal(warm.last.start, "cold after warm");
});
