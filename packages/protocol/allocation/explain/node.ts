import { formatPrice } from "../../money/ver.ts";
import { classLabel } from "../model.ts";
import { count, list, micro, type PlanView } from "./view.ts";

/** What keeps a node out of the market, whatever it asks. Times in seconds, loads in basis points, latencies in ms. */
export type Hindrance =
  | { readonly kind: "gone" }
  | { readonly kind: "draining" }
  | { readonly kind: "coolingDown"; readonly until: number }
  | { readonly kind: "throttled" }
  | { readonly kind: "silent" }
  | { readonly kind: "overloaded"; readonly load?: number; readonly limit?: number }
  | { readonly kind: "slow"; readonly latency?: number; readonly limit?: number }
  | { readonly kind: "ineligible" };

/** A node as the chain knows it. */
export interface NodeState {
  readonly id: number;
  readonly classId: number;
  readonly className?: string;
  /** Micro-VER for a unit. */
  readonly ask: number;
  /** Units that it can hold at once, and that are under lease. */
  readonly capacity: number;
  readonly leased: number;
  readonly hindrances: readonly Hindrance[];
}

/** Why a node got what it got. */
export interface NodeExplanation {
  readonly nodeId: number;
  /** Units that the round grants it. */
  readonly granted: number;
  /** Units that it had listed. */
  readonly listed: number;
  /**
   * - `granted`: all that it had listed; `partly`: the filling of the marginal tick ended with it.
   * - `priceAbove`: it asks more than another unit of its class is worth to the round.
   * - `notDrawn`: it asks exactly that, and the seed's filling of its tick ended before it.
   * - `classNotWanted`: no task of the round accepts its class.
   * - `full`: all of its capacity was under lease.
   * - `notListed`: it was not in the market when the round opened; for nodes that came or changed later.
   * - a {@link Hindrance}'s kind.
   */
  readonly reason:
    | "granted"
    | "partly"
    | "priceAbove"
    | "notDrawn"
    | "classNotWanted"
    | "full"
    | "notListed"
    | Hindrance["kind"];
  /** How much lower its ask would have to be to be served, micro-VER; undefined if no ask would do, or price is not why. */
  readonly aboveBy: number | undefined;
  /** All this for people. */
  readonly sentences: readonly string[];
}

/**
 * Why a node got its units in a planned round, or why it got none. O(nodes of its class + rows).
 */
export function explainNode(view: PlanView, node: NodeState): NodeExplanation {
  const column = view.round.classes.findIndex((each) => each.nodes.some(({ id }) => id === node.id));
  return column < 0 ? unlisted(view, node) : listedNode(view, node, column);
}

function listedNode(view: PlanView, node: NodeState, column: number): NodeExplanation {
  const each = view.round.classes[column];
  const entry = each?.nodes.find(({ id }) => id === node.id);
  const listed = entry?.units ?? 0;
  const ask = (entry?.tick ?? 0) * (each?.tickSize ?? 0);
  const label = view.problem.classes[column]?.label ?? "";
  const rows = view.plan.rows.filter(({ nodeId }) => nodeId === node.id);
  const granted = rows.reduce((sum, { units }) => sum + units, 0);
  const base = { nodeId: node.id, granted, listed, aboveBy: undefined };
  const price = formatPrice(ask);
  if (granted > 0) {
    const tasks = rows.map(({ taskId, units }) => `${units} for task ${taskId}`);
    const all = granted === listed;
    const part = all ? "" : " The rest of its units stand at the margin, where the round needed no more.";
    const words =
      `Node ${node.id} runs ${granted} of its ${count(listed, "listed unit")} (${list(tasks)}) at its ask of ${price} VER; ` +
      `${label} clears at ${formatPrice(micro(view.clearing[column] ?? 0))} VER.${part}`;
    return { ...base, reason: all ? "granted" : "partly", sentences: [words] };
  }
  const worth = view.worth[column] ?? -Infinity;
  const aboveBy = ask - micro(worth);
  if (aboveBy > 0) {
    const free = micro(worth) < 0;
    const words = free
      ? `Node ${node.id} gets nothing: nobody in the round would take another unit of ${label} even if it cost nothing.`
      : `Node ${node.id} gets nothing: it asks ${price} VER, ${formatPrice(aboveBy)} VER above the ` +
        `${formatPrice(micro(worth))} VER that another unit of ${label} is worth to this round.`;
    return { ...base, reason: "priceAbove", aboveBy: free ? undefined : aboveBy, sentences: [words] };
  }
  const words =
    `Node ${node.id} gets nothing: it asks ${price} VER, which is what ${label} clears at, and the filling of that price, ` +
    "which begins where the seed says, ended before it came to this node.";
  return { ...base, reason: "notDrawn", sentences: [words] };
}

function unlisted(view: PlanView, node: NodeState): NodeExplanation {
  const base = { nodeId: node.id, granted: 0, listed: 0, aboveBy: undefined };
  const reasons: { reason: NodeExplanation["reason"]; words: string }[] = node.hindrances.map((each) => ({
    reason: each.kind,
    words: hindranceWords(each),
  }));
  if (node.leased >= node.capacity) {
    reasons.push({ reason: "full", words: `all of its ${count(node.capacity, "unit")} are under lease` });
  }
  if (!view.round.classes.some(({ id }) => id === node.classId)) {
    const label = classLabel({ id: node.classId, ...(node.className !== undefined && { name: node.className }) });
    reasons.push({ reason: "classNotWanted", words: `no task of the round accepts ${label}` });
  }
  if (reasons.length === 0) {
    reasons.push({
      reason: "notListed",
      words: "it was not in the market when the round opened, and waits for the next one",
    });
  }
  return {
    ...base,
    reason: reasons[0]?.reason ?? "notListed",
    sentences: [`Node ${node.id} gets nothing: ${list(reasons.map(({ words }) => words))}.`],
  };
}

function hindranceWords(each: Hindrance): string {
  switch (each.kind) {
    case "gone":
      return "it has left the network";
    case "draining":
      return "it is draining and takes no new work";
    case "coolingDown":
      return `it cools down after a failure until ${new Date(each.until * 1000).toISOString()}`;
    case "throttled":
      return "it is throttled, because it drew more power than its threshold";
    case "silent":
      return "it has not reported in time";
    case "overloaded":
      return each.load === undefined || each.limit === undefined
        ? "its machine is too busy"
        : `its load of ${each.load / 100} % is above the ${each.limit / 100} % that new work allows`;
    case "slow":
      return each.latency === undefined || each.limit === undefined
        ? "its latency is too high for its class"
        : `its latency of ${each.latency} ms is above the ${each.limit} ms of its class`;
    case "ineligible":
      return "its reports make it unfit for new work";
  }
}
