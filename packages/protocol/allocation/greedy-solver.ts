import type { Primal, Problem } from "./model.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

/**
 * Solves rounds of one task by the textbook's rule: the cheapest units first. Supply comes sorted by price, so with one
 * class this is one pass over its steps; with several, each step taken is the cheapest of those that the classes offer
 * next, surcharge included. A unit that costs more than the task pays stays open.
 *
 * O(steps used × classes of the task).
 */
export const greedySolver: Solver = { name: "cheapest first", suits, solve };

function suits({ tasks }: Problem): boolean {
  return tasks.length === 1;
}

function solve(problem: Problem): Primal {
  const [task, ...others] = problem.tasks;
  requireThat(
    task !== undefined && others.length === 0,
    "SolverFailed",
    () => `Cheapest first is the optimum for one task, not for ${problem.tasks.length}.`,
  );
  const flows = task.choices.map(() => 0);
  /** Which step each choice offers next. */
  const next = task.choices.map(() => 0);
  let left = task.units;
  while (left > 0) {
    let best = -1;
    let least = task.maxPrice;
    task.choices.forEach(({ column, surcharge }, c) => {
      const price = problem.classes[column]?.steps[next[c] ?? 0]?.price;
      // Below 2^51, hence exact. At exactly the maximum price the unit is taken.
      if (price !== undefined && (best < 0 ? price + surcharge <= least : price + surcharge < least)) {
        [best, least] = [c, price + surcharge];
      }
    });
    if (best < 0) break;
    const at = next[best] ?? 0;
    const units = Math.min(left, problem.classes[task.choices[best]?.column ?? -1]?.steps[at]?.units ?? 0);
    requireThat(units > 0, "SolverFailed", () => `A step of ${units} units is no supply.`);
    flows[best] = (flows[best] ?? 0) + units;
    next[best] = at + 1;
    left -= units;
  }
  return { flows: [flows], open: [left] };
}
