import type { Problem, ProblemClass, Step } from "./model.ts";
import { requireThat } from "./refusal.ts";

/* What solvers that are libraries have in common: what they are told, and what is believed of what they return. */

/** How far from a whole number a solution's value may lie to be taken as that number. */
const TOLERANCE = 1e-6;

/** Supply of each class that could be of use: a step that its tasks cannot reach, whatever they choose, is left out. */
export function usefulSupply(problem: Problem): Step[][] {
  const demands = problem.classes.map(() => 0);
  for (const { units, choices } of problem.tasks) {
    for (const { column } of choices) demands[column] = (demands[column] ?? 0) + units;
  }
  return problem.classes.map((each, column) => usefulSteps(each, demands[column] ?? 0));
}

/** The cheapest steps that together serve the demand; no optimum needs a dearer one. */
function usefulSteps({ steps }: ProblemClass, demand: number): Step[] {
  const useful = [];
  let left = demand;
  for (const { price, units } of steps) {
    if (left === 0) break;
    useful.push({ price, units: Math.min(units, left) });
    left -= Math.min(units, left);
  }
  return useful;
}

/**
 * A value that a library returned as units of a flow.
 *
 * @param solver - Its name.
 * @throws Refusal `SolverFailed` if it is no whole number.
 */
export function wholeUnits(value: unknown, solver: string): number {
  const nearest = typeof value === "number" ? Math.round(value) : NaN;
  requireThat(
    typeof value === "number" && Number.isSafeInteger(nearest) && Math.abs(value - nearest) <= TOLERANCE,
    "SolverFailed",
    () => `${solver} lets ${String(value)} units flow, which is no whole number.`,
  );
  // Rounding -1e-9 gives -0.
  return nearest === 0 ? 0 : nearest;
}

/** Units of each task that stay open if these flow. */
export function openUnits(problem: Problem, flows: readonly (readonly number[])[]): number[] {
  return problem.tasks.map(({ units }, t) => (flows[t] ?? []).reduce((left, each) => left - each, units));
}
