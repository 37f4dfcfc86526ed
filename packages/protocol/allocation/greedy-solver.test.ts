import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { findPrices } from "./certificate.ts";
import { greedySolver } from "./greedy-solver.ts";
import { lpSolver } from "./lp-solver.ts";
import { buildProblem, objective } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { planRoundWith } from "./round-plan.ts";
import { RefusalError } from "./refusal.ts";
import { leastCost } from "./testing/enumerate.ts";
import { plainRound } from "./testing/examples.ts";
import { marketProblem } from "./testing/market.ts";
import { rounds, seeded } from "./testing/rounds.ts";

test("on tiny rounds of one task it finds the cost that trying everything finds, with prices that prove it", () => {
  fc.assert(
    fc.property(rounds({ tasks: 1, classes: 4, nodes: 5, units: 6 }), (round) => {
      const problem = buildProblem(round);
      const primal = greedySolver.solve(problem);
      assert.equal(objective(problem, primal), leastCost(round));
      assert.ok(findPrices(problem, primal).optimal);
    }),
    seeded(1000),
  );
});

test("one task, one class, many nodes: it agrees with the network simplex", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const demand = [0.3, 0.9, 2][seed % 3] ?? 1;
    const problem = marketProblem({ tasks: 1, classes: 1 + (seed % 2), nodes: 5000, density: 1, demand, seed });
    const [ours, theirs] = [greedySolver, networkSimplex].map((solver) => objective(problem, solver.solve(problem)));
    assert.equal(ours, theirs, `seed ${seed}`);
  }
});

test("the textbook's case, and prices up to exactly the maximum", () => {
  const offers: [number, number][] = [
    [10, 100],
    [15, 80],
    [20, 50],
  ];
  const solve = (units: number, maxPrice: number) =>
    greedySolver.solve(buildProblem(plainRound({ tasks: [[units, maxPrice, { 1: 0 }]], supply: { 1: offers } })));
  assert.deepEqual(solve(150, 20_000), { flows: [[150]], open: [0] });
  assert.deepEqual(solve(250, 20_000), { flows: [[230]], open: [20] });
  assert.deepEqual(solve(250, 19_999), { flows: [[180]], open: [70] });
});

test("it is chosen for one task, and never for more", () => {
  const tasks = [
    [3, 9000, { 1: 0 }],
    [2, 9000, { 1: 0 }],
  ] as const;
  const supply = { 1: [[1, 9]] } as const;
  const solvers = [greedySolver, lpSolver, networkSimplex] as const;
  assert.equal(planRoundWith(plainRound({ tasks: tasks.slice(0, 1), supply }), solvers).solver, greedySolver.name);
  assert.equal(planRoundWith(plainRound({ tasks, supply }), solvers).solver, lpSolver.name);
  assert.throws(
    () => greedySolver.solve(buildProblem(plainRound({ tasks, supply }))),
    (error) => error instanceof RefusalError && error.code === "SolverFailed",
  );
});
