import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { findPrices } from "./certificate.ts";
import { requireFeasible } from "./certify.ts";
import { greedySolver } from "./greedy-solver.ts";
import { createHighsSolver } from "./highs-solver.ts";
import { lpSolver } from "./lp-solver.ts";
import { buildProblem, objective, type Primal, type Problem } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { WarmNetworkSimplex } from "./network-simplex/warm.ts";
import { pathSolver } from "./path-solver.ts";
import type { Solver } from "./solver.ts";
import { leastCost } from "./testing/enumerate.ts";
import { plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";

/** Those that calculate in integers, or with integers that a double holds, whatever the prices. */
const exact = [pathSolver, networkSimplex, lpSolver];
const all = [...exact, await createHighsSolver(), new WarmNetworkSimplex(), greedySolver];

/** Dual cost: what the prices say the optimum costs. Equal to the primal's exactly if both are optimal. */
function dualCost(
  problem: Problem,
  { clearing, taskPrices }: { clearing: readonly bigint[]; taskPrices: readonly bigint[] },
) {
  let cost = 0n;
  problem.tasks.forEach(({ units }, t) => (cost += BigInt(units) * (taskPrices[t] ?? 0n)));
  problem.classes.forEach(({ steps }, k) => {
    for (const { price, units } of steps) {
      const rent = (clearing[k] ?? 0n) - BigInt(price);
      if (rent > 0n) cost -= rent * BigInt(units);
    }
  });
  return cost;
}

/** What those solvers find that say that the problem suits them. The warm one starts from the problem before. */
function solved(problem: Problem, solvers: readonly Solver[] = all): Primal[] {
  const suited = solvers.filter((solver) => solver === lpSolver || (solver.suits?.(problem) ?? true));
  return suited.map((solver) => {
    const primal = solver.solve(problem);
    requireFeasible(problem, primal);
    return primal;
  });
}

test("on tiny rounds every solver finds the cost that trying everything finds", () => {
  let leased = 0;
  let open = 0;
  fc.assert(
    fc.property(rounds({ tasks: 4, classes: 3, nodes: 4, units: 4 }), (round) => {
      const problem = buildProblem(round);
      const least = leastCost(round);
      for (const primal of solved(problem)) {
        assert.equal(objective(problem, primal), least);
        leased += primal.flows.flat().reduce((sum, units) => sum + units, 0);
        open += primal.open.reduce((sum, units) => sum + units, 0);
      }
    }),
    seeded(700),
  );
  // The rounds are not all of one kind.
  assert.ok(leased > 1000 && open > 1000, `${leased} units leased, ${open} open`);
});

test("on larger rounds the solvers agree to the last 1024th, and prices certify each of them", () => {
  for (const [size, runs] of [
    [{ tasks: 12, classes: 6, nodes: 20, units: 8 }, 250],
    [{ tasks: 50, classes: 10, nodes: 50, units: 30 }, 8],
  ] as const) {
    fc.assert(
      fc.property(rounds(size), (round) => {
        const problem = buildProblem(round);
        const [first, ...others] = solved(problem).map((primal) => {
          const finding = findPrices(problem, primal);
          assert.ok(finding.optimal);
          const cost = objective(problem, primal);
          assert.equal(dualCost(problem, finding.certificate), cost, "strong duality");
          // The greatest prices are the same whichever optimal solution they were recovered from.
          return { cost, prices: finding.certificate };
        });
        for (const other of others) assert.deepEqual(other, first);
      }),
      seeded(runs),
    );
  }
});

test("the highest prices and the largest amounts are solved exactly", () => {
  const tickSize = Math.floor((2 ** 40 - 1) / 4095);
  const ids = [0, 1, 2, 3];
  const price = fc.integer({ min: 2 ** 39, max: 2 ** 40 - 1 });
  const many = fc.integer({ min: 1, max: 2 ** 20 });
  const four = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(many, price, four(fc.oneof(fc.constant(0), fc.integer({ max: 2 ** 40 - 1, min: 0 })))), {
        minLength: 1,
        maxLength: 6,
      }),
      four(fc.array(fc.tuple(fc.integer({ min: 0, max: 4095 }), many), { maxLength: 5 })),
      (tasks, supply) => {
        const round = plainRound({
          tasks: tasks.map(([units, maxPrice, surcharges]) => [units, maxPrice, { ...surcharges }]),
          supply: Object.fromEntries(ids.map((id) => [id, supply[id] ?? []])),
        });
        const problem = buildProblem({ ...round, classes: round.classes.map((each) => ({ ...each, tickSize })) });
        const costs = solved(problem, exact).map((primal) => objective(problem, primal));
        assert.equal(new Set(costs).size, 1);
      },
    ),
    seeded(150),
  );
});
