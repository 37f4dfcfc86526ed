import lp from "javascript-lp-solver";

import { openUnits, usefulSupply, wholeUnits } from "./linear-program.ts";
import type { Primal, Problem } from "./model.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

/** Maximum cells of the tableau for which it is quick: 8 MB. */
const COMFORTABLE = 1_000_000;

type Coefficients = Record<string, number>;
type Bound = { equal: number } | { max: number };

/**
 * Solves with javascript-lp-solver, a dense simplex: comfortable up to some 100 tasks and 5,000 steps of supply.
 *
 * Rows: one per task (its units flow or stay open), one per class (what flows is supplied), one per step of supply (its
 * units). All costs are at least 0, so the library's first phase is a dual simplex that ends at the optimum. The names
 * of rows and columns are generated, and nothing but the flows is read from what it returns.
 */
export const lpSolver: Solver = { name: "javascript-lp-solver", suits, solve };

function suits({ tasks, classes }: Problem): boolean {
  const steps = classes.reduce((sum, each) => sum + each.steps.length, 0);
  const choices = tasks.reduce((sum, each) => sum + each.choices.length, 0);
  return (tasks.length + classes.length + steps) * (tasks.length + choices + steps) <= COMFORTABLE;
}

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
    return task.choices.map(({ column, surcharge }) => addColumn(surcharge, { [`t${t}`]: 1, [`k${column}`]: 1 }));
  });
  usefulSupply(problem).forEach((steps, k) => {
    constraints[`k${k}`] = { max: 0 };
    steps.forEach(({ price, units }, j) => {
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
  const flows = flowNames.map((names) => names.map((name) => wholeUnits(solution[name] ?? 0, lpSolver.name)));
  return { flows, open: openUnits(problem, flows) };
}
