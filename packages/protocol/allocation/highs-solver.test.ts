import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { findPrices } from "./certificate.ts";
import { createHighsSolver } from "./highs-solver.ts";
import { buildProblem, objective, type Problem } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { RefusalError } from "./refusal.ts";
import type { Solver } from "./solver.ts";
import { leastCost } from "./testing/enumerate.ts";
import { marketProblem } from "./testing/market.ts";
import { rounds, seeded } from "./testing/rounds.ts";

const highs = await createHighsSolver();

/** Cost of what a solver finds, once prices have proved it optimal. */
function certifiedCost(problem: Problem, solver: Solver): bigint {
  const primal = solver.solve(problem);
  const finding = findPrices(problem, primal);
  assert.ok(finding.optimal, finding.optimal ? "" : finding.exchange.words);
  return objective(problem, primal);
}

test("on tiny rounds HiGHS finds the cost that trying everything finds", () => {
  fc.assert(
    fc.property(rounds({ tasks: 4, classes: 3, nodes: 4, units: 4 }), (round) => {
      assert.equal(certifiedCost(buildProblem(round), highs), leastCost(round));
    }),
    seeded(400),
  );
});

test("on larger ones HiGHS and the network simplex agree to the last 1024th", () => {
  for (const demand of [0.3, 0.9, 2]) {
    for (let seed = 1; seed <= 4; seed++) {
      const problem = marketProblem({ tasks: 60, classes: 12, nodes: 400, density: 0.4, demand, seed });
      assert.equal(certifiedCost(problem, highs), certifiedCost(problem, networkSimplex), `${demand}, seed ${seed}`);
    }
  }
});

test("what HiGHS does not solve, it refuses", async () => {
  const failed = (error: unknown): boolean => error instanceof RefusalError && error.code === "SolverFailed";
  const problem = marketProblem({ tasks: 60, classes: 12, nodes: 400, density: 0.4, demand: 1, seed: 1 });
  const hasty = await createHighsSolver({ timeLimit: 0 });
  assert.throws(() => hasty.solve(problem), failed);
  const tasks = problem.tasks.map((task) => ({ ...task, maxPrice: NaN }));
  assert.throws(() => highs.solve({ ...problem, tasks }), failed);
});
