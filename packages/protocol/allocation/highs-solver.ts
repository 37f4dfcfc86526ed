import createHighs, { type Highs, type ModelData } from "highs";

import { openUnits, usefulSupply, wholeUnits } from "./linear-program.ts";
import type { Primal, Problem } from "./model.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

const NAME = "HiGHS";

/**
 * Costs are scaled by a power of two, which keeps them exact, to below this. One part of the smallest of them is then at
 * least 2^-17, far above the tolerance, and the largest far below what HiGHS takes for infinite.
 */
const LARGEST_COST = 2 ** 33;

/** How far reduced costs may be from optimal; HiGHS' own 1e-7 is closer to the smallest difference of costs. */
const TOLERANCE = 1e-9;

/** Settings of {@link createHighsSolver}. */
export interface HighsSettings {
  /** Seconds after which it gives up. */
  readonly timeLimit?: number;
}

/**
 * A solver with HiGHS, compiled to WebAssembly: independent of everything else here, sparse, slow in comparison. It
 * calculates in floating point and with tolerances, so that more than with others what it returns needs a certificate.
 *
 * Rows: one per task (its units flow or stay open) and one per class (what flows is supplied). A step of supply is a
 * column with a bound.
 */
export async function createHighsSolver({ timeLimit = 60 }: HighsSettings = {}): Promise<Solver> {
  const highs = await createHighs();
  return { name: NAME, solve: (problem) => solve(highs, problem, timeLimit) };
}

function solve(highs: Highs, problem: Problem, timeLimit: number): Primal {
  const model = highs.createModel(modelOf(highs, problem));
  let values: Float64Array;
  try {
    model.options.set({ output_flag: false, dual_feasibility_tolerance: TOLERANCE, time_limit: timeLimit });
    model.run();
    const status = model.getModelStatus();
    requireThat(
      status === highs.constants.modelStatus.optimal,
      "SolverFailed",
      () => `${NAME} ends with status ${status} instead of an optimum.`,
    );
    values = model.getSolution().colValue;
  } finally {
    model.dispose();
  }
  let column = 0;
  const flows = problem.tasks.map(({ choices }) => {
    column += 1;
    return choices.map(() => wholeUnits(values[column++], NAME));
  });
  return { flows, open: openUnits(problem, flows) };
}

/** The linear program, column by column: of each task its open units and its choices, then the steps of supply. */
function modelOf({ infinity }: Highs, problem: Problem): ModelData {
  const taskCount = problem.tasks.length;
  const numRows = taskCount + problem.classes.length;
  const colCost: number[] = [];
  const colUpper: number[] = [];
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  const addColumn = (cost: number, most: number, entries: readonly (readonly [row: number, value: number])[]): void => {
    requireThat(
      Number.isSafeInteger(cost) && cost >= 0 && (most === infinity || Number.isSafeInteger(most)),
      "SolverFailed",
      () => `${NAME} is not asked about a cost of ${cost} for up to ${most} units.`,
    );
    colCost.push(cost);
    colUpper.push(most);
    for (const [row, value] of entries) {
      indices.push(row);
      values.push(value);
    }
    starts.push(indices.length);
  };
  problem.tasks.forEach(({ maxPrice, choices }, t) => {
    addColumn(maxPrice, infinity, [[t, 1]]);
    for (const { column, surcharge } of choices) {
      addColumn(surcharge, infinity, [
        [t, 1],
        [taskCount + column, 1],
      ]);
    }
  });
  usefulSupply(problem).forEach((steps, column) => {
    for (const { price, units } of steps) addColumn(price, units, [[taskCount + column, -1]]);
  });
  const scale = scaleOf(colCost);
  const demand = problem.tasks.map(({ units }) => units);
  const numCols = colCost.length;
  return {
    numCols,
    numRows,
    colCost: Float64Array.from(colCost, (cost) => cost * scale),
    colLower: new Float64Array(numCols),
    colUpper: Float64Array.from(colUpper),
    rowLower: [...demand, ...problem.classes.map(() => -infinity)],
    rowUpper: [...demand, ...problem.classes.map(() => 0)],
    matrix: {
      format: "csc",
      numRows,
      numCols,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(indices),
      values: Float64Array.from(values),
    },
  };
}

/** The power of two that brings the largest cost below {@link LARGEST_COST}, or 1. */
function scaleOf(costs: readonly number[]): number {
  const largest = costs.reduce((most, cost) => Math.max(most, cost), 0);
  let scale = 1;
  while (largest * scale > LARGEST_COST) scale /= 2;
  return scale;
}
