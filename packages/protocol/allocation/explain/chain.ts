/* The arrays' bounds are the problem's own indices: every "!" in this file is an element that exists. */
import { micro, type PlanView } from "./view.ts";

/** One step of what would happen if a task had one unit more. */
export type Link =
  /** The task takes a unit that nobody uses. */
  | { readonly kind: "free"; readonly taskId: number; readonly classId: number; readonly nodeIds: readonly number[] }
  /** It takes a unit from another task, which goes on as the next link says. */
  | { readonly kind: "displaces"; readonly taskId: number; readonly classId: number; readonly otherId: number }
  /** It leaves a unit open. */
  | { readonly kind: "open"; readonly taskId: number };

/** What one more unit of a task would do and cost. */
export interface NextUnit {
  /** Who would move where: the first link is about the task itself. */
  readonly links: readonly Link[];
  /** What it would cost in all, micro-VER, surcharges and the moves of others included. */
  readonly cost: number;
  /** Whether the unit itself would stay open. */
  readonly staysOpen: boolean;
}

/**
 * What would happen if a task had one unit more: the cheapest way to a unit that nobody uses, or to one that stays open.
 * Its price is the task's dual, so no second solve is needed. O(tasks × accepted classes).
 */
export function nextUnit(view: PlanView, task: number): NextUnit {
  const { problem, primal, supply, clearing, taskPrices } = view;
  /** How each task on the way was reached: from which one, and through which class. */
  const from = new Map<number, { task: number; column: number }>([[task, { task: -1, column: -1 }]]);
  const seen = new Set<number>();
  for (const t of from.keys()) {
    const { maxPrice, choices } = problem.tasks[t]!;
    if (taskPrices[t] === maxPrice) return trace(view, from, t, undefined);
    const cheapest = choices.filter(({ column, surcharge }) => clearing[column]! + surcharge === taskPrices[t]);
    const free = cheapest.find(({ column }) => supply[column]?.unused?.price === clearing[column]);
    if (free) return trace(view, from, t, free.column);
    for (const { column } of cheapest) {
      if (seen.has(column)) continue;
      seen.add(column);
      problem.tasks.forEach((other, o) => {
        const choice = other.choices.findIndex((each) => each.column === column);
        const tight = choice >= 0 && taskPrices[o]! - other.choices[choice]!.surcharge === clearing[column];
        if (tight && primal.flows[o]![choice]! > 0 && !from.has(o)) from.set(o, { task: t, column });
      });
    }
  }
  throw new Error(`The prices of round ${view.round.roundId} are no shortest paths.`);
}

/** The way that led to a task, and what happens there: it takes a free unit of a class, or leaves one open. */
function trace(
  view: PlanView,
  from: ReadonlyMap<number, { task: number; column: number }>,
  end: number,
  column: number | undefined,
): NextUnit {
  const { problem, round, supply } = view;
  const surcharge = (t: number, k: number): number =>
    micro(problem.tasks[t]!.choices.find((each) => each.column === k)?.surcharge ?? NaN);
  const taskId = problem.tasks[end]!.id;
  const links: Link[] = [];
  let cost: number;
  if (column === undefined) {
    links.push({ kind: "open", taskId });
    cost = micro(problem.tasks[end]!.maxPrice);
  } else {
    const price = supply[column]!.unused!.price;
    const { id: classId, nodes, tickSize } = round.classes[column]!;
    const used = Map.groupBy(view.plan.rows, ({ nodeId }) => nodeId);
    const nodeIds = nodes
      .filter(({ tick }) => tick * tickSize === micro(price))
      .filter(({ id, units }) => (used.get(id) ?? []).reduce((left, row) => left - row.units, units) > 0)
      .map(({ id }) => id);
    links.push({ kind: "free", taskId, classId, nodeIds });
    cost = micro(price) + surcharge(end, column);
  }
  for (let t = end; ;) {
    const way = from.get(t)!;
    if (way.column < 0) break;
    const { id: classId } = problem.classes[way.column]!;
    links.unshift({ kind: "displaces", taskId: problem.tasks[way.task]!.id, classId, otherId: problem.tasks[t]!.id });
    cost += surcharge(way.task, way.column) - surcharge(t, way.column);
    t = way.task;
  }
  return { links, cost, staysOpen: links[0]?.kind === "open" };
}
