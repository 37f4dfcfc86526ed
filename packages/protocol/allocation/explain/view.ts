import { DITHER } from "../../money/units.ts";
import { type Supply, supplyAt } from "../exchange.ts";
import { buildProblem, type Primal, type Problem, type Round, unitsByClass } from "../model.ts";
import type { RoundPlan } from "../round-plan.ts";

/** A planned round, ready to be asked about: {@link explainTask}, {@link explainNode}. */
export interface PlanView {
  readonly round: Round;
  readonly plan: RoundPlan;
  readonly problem: Problem;
  readonly primal: Primal;
  /** Of each class, in the order of the problem's: units granted, where its supply stands, and what it clears at. */
  readonly granted: readonly number[];
  readonly supply: readonly Supply[];
  readonly clearing: readonly number[];
  /** What a unit more of each class would have saved: below this an ask is served, above it never. Micro-VER × 1024. */
  readonly worth: readonly number[];
  /** What a unit more costs each task, or its maximum price. Micro-VER × 1024. */
  readonly taskPrices: readonly number[];
}

/**
 * Prepares a round and its plan for questions. Pure; O(tasks × accepted classes + nodes × log(nodes)), and about as much
 * again as the certificate took.
 */
export function viewPlan(round: Round, plan: RoundPlan): PlanView {
  const problem = buildProblem(round);
  const indices = new Map(round.tasks.map(({ id }, t) => [id, t]));
  const flows = problem.tasks.map(({ choices }) => choices.map(() => 0));
  const open = problem.tasks.map(({ units }) => units);
  for (const { taskId, classId, units } of plan.rows) {
    const t = indices.get(taskId) ?? -1;
    const row = flows[t];
    const choice = round.tasks[t]?.classes.findIndex((each) => each.classId === classId) ?? -1;
    if (row) row[choice] = (row[choice] ?? 0) + units;
    open[t] = (open[t] ?? 0) - units;
  }
  const primal = { flows, open };
  const granted = unitsByClass(problem, flows);
  const supply = supplyAt(problem, granted);
  return {
    round,
    plan,
    problem,
    primal,
    granted,
    supply,
    clearing: plan.certificate.clearing.map(Number),
    worth: worthOfSupply(problem, primal, supply),
    taskPrices: plan.certificate.taskPrices.map(Number),
  };
}

/** A scaled price in whole micro-VER: what people see, without dither. */
export function micro(scaled: number): number {
  return Math.floor(scaled / DITHER);
}

/** Such as "1 unit", "3 units". */
export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

/** Such as "a, b and c"; of many only the first are named. */
export function list(items: readonly (string | number)[], most = 6, last = "and"): string {
  const named = items.slice(0, most).map(String);
  if (items.length > most) named.push(`${items.length - most} more`);
  return named.length < 2 ? (named[0] ?? "none") : `${named.slice(0, -1).join(", ")} ${last} ${named.at(-1) ?? ""}`;
}

/* The arrays' bounds are the problem's own indices: every "!" in this file is an element that exists. */

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
