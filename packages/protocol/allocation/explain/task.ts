import { formatPrice } from "../../money/ver.ts";
import type { Row } from "../grants.ts";
import { type Link, type NextUnit, nextUnit } from "./chain.ts";
import { count, list, micro, type PlanView } from "./view.ts";

/** How a class stands to a task that accepts it. Prices in micro-VER for a unit. */
export interface ClassChoice {
  readonly classId: number;
  readonly label: string;
  readonly surcharge: number;
  /** Clearing price of the class; undefined if nothing bounds it, because it lists nothing. */
  readonly clearing: number | undefined;
  /** Units of the task in it. */
  readonly units: number;
  /** Units listed, and granted to any task. */
  readonly listed: number;
  readonly granted: number;
  /** How much dearer than what the task pays for its dearest unit one more unit in this class is; 0: equal or used. */
  readonly dearerBy: number;
}

/** Why a task got what it got. */
export interface TaskExplanation {
  readonly taskId: number;
  /** Units that it brought into the round, that were leased, and that stay open. */
  readonly units: number;
  readonly granted: number;
  readonly open: number;
  /** Maximum price of a unit, micro-VER. */
  readonly maxPrice: number;
  /** What its leases pay in all, micro-VER. */
  readonly paid: bigint;
  readonly rows: readonly Row[];
  readonly classes: readonly ClassChoice[];
  /** What binds it: its own maximum price, or the class that decides what its next unit costs. */
  readonly binding: { readonly kind: "maxPrice" } | { readonly kind: "class"; readonly classId: number };
  readonly nextUnit: NextUnit;
  /** All this for people. */
  readonly sentences: readonly string[];
}

/**
 * Why a task of a planned round got these nodes at this price, what one more unit would cost, and what binds it.
 * O(tasks × accepted classes + nodes).
 *
 * @throws RangeError if the task is not part of the round.
 */
export function explainTask(view: PlanView, taskId: number): TaskExplanation {
  const t = view.round.tasks.findIndex(({ id }) => id === taskId);
  const task = view.round.tasks[t];
  if (!task) {
    const ids = view.round.tasks.map(({ id }) => id);
    throw new RangeError(`Task ${taskId} is not part of round ${view.round.roundId}: its tasks are ${list(ids, 20)}.`);
  }
  const rows = view.plan.rows.filter((row) => row.taskId === taskId);
  const open = view.primal.open[t] ?? 0;
  const next = nextUnit(view, t);
  const [first] = next.links;
  const explanation = {
    taskId,
    units: task.units,
    granted: task.units - open,
    open,
    maxPrice: task.maxPrice,
    paid: rows.reduce((sum, { price, units }) => sum + BigInt(price) * BigInt(units), 0n),
    rows,
    classes: classChoices(view, t),
    binding:
      first === undefined || first.kind === "open"
        ? ({ kind: "maxPrice" } as const)
        : ({ kind: "class", classId: first.classId } as const),
    nextUnit: next,
  };
  return { ...explanation, sentences: sentencesOf(view, explanation) };
}

function classChoices(view: PlanView, t: number): ClassChoice[] {
  const task = view.problem.tasks[t];
  return (task?.choices ?? []).map(({ column, surcharge }, c) => {
    const each = view.problem.classes[column];
    const listed = (each?.steps ?? []).reduce((sum, { units }) => sum + units, 0);
    const clearing = view.clearing[column] ?? 0;
    const price = view.taskPrices[t] ?? 0;
    return {
      classId: each?.id ?? 0,
      label: each?.label ?? "",
      surcharge: micro(surcharge),
      clearing: listed === 0 ? undefined : micro(clearing),
      units: view.primal.flows[t]?.[c] ?? 0,
      listed,
      granted: view.granted[column] ?? 0,
      dearerBy: Math.max(0, micro(clearing) + micro(surcharge) - micro(price)),
    };
  });
}

function sentencesOf(view: PlanView, it: Omit<TaskExplanation, "sentences">): string[] {
  const head = `Task ${it.taskId} gets ${it.granted} of its ${count(it.units, "unit")}`;
  const paid = it.granted === 0 ? "." : `, for ${formatPrice(it.paid)} VER in all.`;
  return [
    head + paid,
    ...it.classes.map((each) => classSentence(it, each)),
    ...(it.open > 0 ? [openSentence(it)] : []),
    nextSentence(view, it.nextUnit, it.maxPrice),
  ];
}

function classSentence(it: Omit<TaskExplanation, "sentences">, each: ClassChoice): string {
  const { label, units, clearing, surcharge, listed, granted, dearerBy, classId } = each;
  const steered =
    surcharge === 0 ? "" : `, plus a surcharge of ${formatPrice(surcharge)} VER that steers and is not paid`;
  if (units > 0) {
    const rows = it.rows.filter((row) => row.classId === classId);
    const prices = rows.map(({ price }) => price);
    const [least, most] = [Math.min(...prices), Math.max(...prices)];
    const range = least === most ? formatPrice(least) : `${formatPrice(least)} to ${formatPrice(most)}`;
    const ids = [...new Set(rows.map(({ nodeId }) => nodeId))];
    return (
      `${count(units, "unit")} ${units === 1 ? "runs" : "run"} in ${label} on ${ids.length === 1 ? "node" : "nodes"} ${list(ids)} at ${range} VER${steered}: ` +
      `the cheapest that the round has for it; the class clears at ${formatPrice(clearing ?? 0)} VER.`
    );
  }
  if (clearing === undefined) return `None run in ${label}: it lists no units.`;
  const left =
    granted === listed
      ? `all of its ${count(listed, "unit")} are granted`
      : `${listed - granted} of its ${count(listed, "unit")} are left`;
  const why =
    dearerBy > 0
      ? `a unit there costs ${formatPrice(dearerBy)} VER more than ${it.open > 0 ? "the task pays at most" : "where it runs"}`
      : "it costs the same, and the seed decides between equals";
  return `None run in ${label}: it clears at ${formatPrice(clearing)} VER${steered}, ${left}, and ${why}.`;
}

function openSentence(it: Omit<TaskExplanation, "sentences">): string {
  const most = formatPrice(it.maxPrice);
  const served = it.classes.filter(({ listed }) => listed > 0);
  const why =
    served.length === 0
      ? "none of its classes lists a unit"
      : `no further unit of ${served.length === 1 ? "its class" : "its classes"} is to be had at its maximum price of ${most} VER`;
  return `${count(it.open, "unit")} ${it.open === 1 ? "stays" : "stay"} open for the next round: ${why}.`;
}

function nextSentence(view: PlanView, { links, cost, staysOpen }: NextUnit, maxPrice: number): string {
  const most = formatPrice(maxPrice);
  if (staysOpen) return `One more unit would stay open: its maximum price of ${most} VER binds.`;
  return `One more unit would cost ${formatPrice(cost)} VER: ${links.map((link) => linkWords(view, link)).join(", ")}.`;
}

function linkWords(view: PlanView, link: Link): string {
  const label = (classId: number): string => view.problem.classes.find(({ id }) => id === classId)?.label ?? "";
  switch (link.kind) {
    case "free":
      return `task ${link.taskId} would use node ${list(link.nodeIds, 3, "or")} in ${label(link.classId)}`;
    case "displaces":
      return `task ${link.taskId} would take a unit of ${label(link.classId)} from task ${link.otherId}`;
    case "open":
      return `task ${link.taskId} would leave one open`;
  }
}
