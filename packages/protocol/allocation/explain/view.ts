import { DITHER } from "../../money/units.ts";
import { type Supply, supplyAt } from "../exchange.ts";
import { buildProblem, type Primal, type Problem, type Round, unitsByClass } from "../model.ts";
import type { RoundPlan } from "../round-plan.ts";
import { worthOfSupply } from "./worth.ts";

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
