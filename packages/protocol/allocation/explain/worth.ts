/* The arrays' bounds are the problem's own indices: every "!" in this file is an element that exists. */
import type { Supply } from "../exchange.ts";
import type { Primal, Problem } from "../model.ts";

/**
 * What one more unit of each class's supply would save, if it cost nothing: the least clearing prices that prove an optimum,
 * where the post has the greatest. A node that asks less than this is served, one that asks more is not. Negative where
 * even a gift would not be taken. −Infinity for a class that no task accepts.
 *
 * Least solution of the bounds in {@link findPrices}: from what bounds prices below (units that stay open, the dearest
 * supply used) along the units that flow. O((tasks + classes) × tasks × accepted classes) at worst, a few passes in
 * practice.
 *
 * @param primal - An optimum; with anything else there need not be an end.
 */
export function worthOfSupply(problem: Problem, primal: Primal, supply: readonly Supply[]): number[] {
  const tasks = problem.tasks.map(({ maxPrice }, t) => (primal.open[t]! > 0 ? maxPrice : -Infinity));
  const worth = supply.map(({ used }) => used?.price ?? -Infinity);
  for (let changed = true; changed;) {
    changed = false;
    for (const [t, { choices }] of problem.tasks.entries()) {
      const flows = primal.flows[t]!;
      for (const [c, { column, surcharge }] of choices.entries()) {
        // A task that uses a class pays its price.
        if (flows[c]! > 0 && worth[column]! + surcharge > tasks[t]!) {
          tasks[t] = worth[column]! + surcharge;
          changed = true;
        }
      }
      for (const { column, surcharge } of choices) {
        // What it pays, it would pay for any class that it accepts.
        if (tasks[t]! - surcharge > worth[column]!) {
          worth[column] = tasks[t]! - surcharge;
          changed = true;
        }
      }
    }
  }
  return worth;
}
