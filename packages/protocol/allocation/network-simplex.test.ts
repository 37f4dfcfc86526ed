import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { findPrices } from "./certificate.ts";
import { lpSolver } from "./lp-solver.ts";
import { buildProblem, objective, type Problem } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { pathSolver } from "./path-solver.ts";
import { RefusalError } from "./refusal.ts";
import { leastCost } from "./testing/enumerate.ts";
import { type MarketSize, marketProblem } from "./testing/market.ts";
import { rounds, seeded } from "./testing/rounds.ts";

/** Cost of what the network simplex finds, once prices have proved it optimal. */
function certifiedCost(problem: Problem): bigint {
  const primal = networkSimplex.solve(problem);
  const finding = findPrices(problem, primal);
  assert.ok(finding.optimal, finding.optimal ? "" : finding.exchange.words);
  return objective(problem, primal);
}

test("on tiny rounds it finds the cost that trying everything finds", () => {
  fc.assert(
    fc.property(rounds({ tasks: 4, classes: 3, nodes: 4, units: 4 }), (round) => {
      assert.equal(certifiedCost(buildProblem(round)), leastCost(round));
    }),
    seeded(2000),
  );
});

test("on degenerate rounds it agrees with shortest paths to the last 1024th", () => {
  for (const [size, runs] of [
    [{ tasks: 8, classes: 6, nodes: 8, units: 3 }, 1500],
    [{ tasks: 30, classes: 12, nodes: 12, units: 12 }, 40],
  ] as const) {
    fc.assert(
      fc.property(rounds(size), (round) => {
        const problem = buildProblem(round);
        assert.equal(certifiedCost(problem), objective(problem, pathSolver.solve(problem)));
      }),
      seeded(runs),
    );
  }
});

test("without any dither, where nearly everything is a tie, it ends and is optimal", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const { tasks, classes } = marketProblem({ tasks: 20, classes: 8, nodes: 60, density: 0.6, demand: 1, seed });
    const problem = {
      tasks: tasks.map((task) => ({
        ...task,
        units: 1 + (task.units % 2),
        choices: task.choices.map((choice, i) => ({ ...choice, surcharge: 1024 * ((i + seed) % 2) })),
        maxPrice: 3072,
      })),
      classes: classes.map(({ steps, ...each }) => ({
        ...each,
        steps: steps.slice(0, 4).map((_, i) => ({ price: 1024 * i, units: 1 + (i % 2) })),
      })),
    };
    assert.equal(certifiedCost(problem), objective(problem, lpSolver.solve(problem)), `seed ${seed}`);
  }
});

test("prices as high as they can be are calculated with exactly", () => {
  const top = 2 ** 50 - 1;
  for (let seed = 1; seed <= 300; seed++) {
    const market = marketProblem({ tasks: 12, classes: 7, nodes: 40, density: 0.7, demand: 0.9, seed });
    // Every number is near one of the ends of its range, so that long paths add up to the highest sums.
    const extreme = (value: number): number => (value % 3 === 0 ? top - (value % 1024) : value % 1024);
    const problem = {
      tasks: market.tasks.map((task) => ({
        ...task,
        maxPrice: top,
        choices: task.choices.map((choice) => ({ ...choice, surcharge: extreme(choice.surcharge) })),
      })),
      classes: market.classes.map(({ steps, ...each }) => ({
        ...each,
        steps: steps.map((step, i) => ({ ...step, price: i < steps.length / 2 ? i : top - steps.length + i })),
      })),
    };
    assert.equal(certifiedCost(problem), objective(problem, pathSolver.solve(problem)), `seed ${seed}`);
  }
});

test("larger markets are certified, whatever the demand and however few classes a task accepts", () => {
  const sizes: Omit<MarketSize, "seed" | "demand">[] = [
    { tasks: 1, classes: 1, nodes: 20_000, density: 1 },
    { tasks: 300, classes: 1, nodes: 3000, density: 1 },
    { tasks: 1, classes: 200, nodes: 3000, density: 1 },
    { tasks: 200, classes: 20, nodes: 2000, density: 0.1 },
    { tasks: 200, classes: 20, nodes: 2000, density: 1 },
  ];
  for (const size of sizes) {
    for (const demand of [0.1, 0.9, 3]) certifiedCost(marketProblem({ ...size, demand, seed: 7 }));
  }
});

test("numbers that are not exact in a double are refused", () => {
  const good = marketProblem({ tasks: 2, classes: 2, nodes: 5, density: 1, demand: 1, seed: 3 });
  for (const bad of [NaN, -1, 0.5, 2 ** 52, Infinity]) {
    const tasks = good.tasks.map((task) => ({ ...task, maxPrice: bad }));
    assert.throws(
      () => networkSimplex.solve({ ...good, tasks }),
      (error) => error instanceof RefusalError && error.code === "SolverFailed",
    );
  }
});
