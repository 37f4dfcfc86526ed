import lp from "javascript-lp-solver";

import type { Primal, Problem, ProblemClass } from "./model.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

/** How far from a whole number a solution's value may lie to be taken as that number. */
const TOLERANCE = 1e-6;

type Coefficients = Record<string, number>;
type Bound = { equal: number } | { max: number };

/**
 * Solves with javascript-lp-solver, a dense simplex: comfortable up to some 100 tasks and 5,000 steps of supply.
 *
 * Rows: one per task (its units flow or stay open), one per class (what flows is supplied), one per step of supply (its
 * units). All costs are at least 0, so the library's first phase is a dual simplex that ends at the optimum. The names
 * of rows and columns are generated, and nothing but the flows is read from what it returns.
 */
export const lpSolver: Solver = { name: "javascript-lp-solver", solve };

function solve(problem: Problem): Primal {
  const constraints: Record<string, Bound> = {};
  const variables: Record<string, Coefficients> = {};
  let columns = 0;
  const addColumn = (cost: number, rows: Coefficients): string => {
    const name = `v${columns++}`;
    variables[name] = { cost, ...rows };
    return name;
  };

  const flowNames = problem.tasks.map((task, t) => {
    constraints[`t${t}`] = { equal: task.units };
    addColumn(task.maxPrice, { [`t${t}`]: 1 });
    return task.choices.map(({ lane, surcharge }) => addColumn(surcharge, { [`t${t}`]: 1, [`k${lane}`]: 1 }));
  });
  const demands = demandByClass(problem);
  problem.classes.forEach((each, k) => {
    constraints[`k${k}`] = { max: 0 };
    usefulSteps(each, demands[k] ?? 0).forEach(({ price, units }, j) => {
      constraints[`k${k}s${j}`] = { max: units };
      addColumn(price, { [`k${k}`]: -1, [`k${k}s${j}`]: 1 });
    });
  });

  const solution = lp.Solve({ optimize: "cost", opType: "min", constraints, variables }) as Record<string, unknown>;
  requireThat(
    solution.feasible === true && solution.bounded !== false,
    "SolverFailed",
    () => "javascript-lp-solver found no solution although leaving every unit open is one.",
  );
  const flows = flowNames.map((names) => names.map((name) => wholeUnits(solution[name] ?? 0)));
  return { flows, open: problem.tasks.map(({ units }, t) => units - sum(flows[t] ?? [])) };
}

/** Units that could flow through each class if all its tasks chose it. */
function demandByClass(problem: Problem): number[] {
  const demands = problem.classes.map(() => 0);
  for (const { units, choices } of problem.tasks) {
    for (const { lane } of choices) demands[lane] = (demands[lane] ?? 0) + units;
  }
  return demands;
}

/** The cheapest steps that together serve the demand; no optimum needs a dearer one. */
function usefulSteps({ steps }: ProblemClass, demand: number): { price: number; units: number }[] {
  const useful = [];
  let left = demand;
  for (const { price, units } of steps) {
    if (left === 0) break;
    useful.push({ price, units: Math.min(units, left) });
    left -= Math.min(units, left);
  }
  return useful;
}

function wholeUnits(value: unknown): number {
  const nearest = typeof value === "number" ? Math.round(value) : NaN;
  requireThat(
    typeof value === "number" && Number.isSafeInteger(nearest) && Math.abs(value - nearest) <= TOLERANCE,
    "SolverFailed",
    () => `javascript-lp-solver lets ${String(value)} units flow, which is no whole number.`,
  );
  // Rounding -1e-9 gives -0.
  return nearest === 0 ? 0 : nearest;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
