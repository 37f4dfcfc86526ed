import { findPrices } from "./certificate.ts";
import type { Certificate } from "./certify.ts";
import { buildProblem, type Round, type RoundClass } from "./model.ts";
import { betweenNodes, type NodeExchange, type NodeMove, type Placement, wordsOf } from "./node-exchange.ts";
import { requireThat } from "./refusal.ts";
import { validateRound } from "./validate.ts";
import { DITHER } from "../money/units.ts";

/** The prices that prove an allocation optimal, or the exchange between nodes that shows it is not. */
export type Judgement =
  | { readonly optimal: true; readonly certificate: Certificate }
  | { readonly optimal: false; readonly exchange: NodeExchange };

/**
 * Judges any allocation of a round, node by node, wherever it comes from: optimal with its proof, or not, with an exchange
 * that makes it cheaper. Which of several nodes with one price is used, and who runs on which, does not matter here.
 *
 * O(nodes × log(nodes) + placements) and what {@link findPrices} takes.
 *
 * @throws Refusal `InvalidRound`, or what is wrong with an allocation that does not keep to the round: `InvalidFlows`,
 * `NodeNotListed`, `NodeOverbooked` or `TaskOverfilled`.
 */
export function judgeAllocation(round: Round, placements: readonly Placement[]): Judgement {
  validateRound(round);
  const columns = new Map(round.classes.flatMap((each, k) => each.nodes.map(({ id }) => [id, k])));
  const flows = round.tasks.map(({ classes }) => classes.map(() => 0));
  const open = round.tasks.map(({ units }) => units);
  const indices = new Map(round.tasks.map(({ id }, t) => [id, t]));
  for (const { taskId, nodeId, units } of placements) {
    const t = indices.get(taskId) ?? -1;
    requireThat(t >= 0, "InvalidFlows", () => `Task ${taskId} is not part of round ${round.roundId}.`);
    requireThat(
      Number.isSafeInteger(units) && units > 0,
      "InvalidFlows",
      () => `${units} is no number of units of task ${taskId} for node ${nodeId}: give a whole one from 1 on.`,
    );
    const classId = round.classes[columns.get(nodeId) ?? -1]?.id;
    requireThat(classId !== undefined, "NodeNotListed", () => `Node ${nodeId} is not listed in the round's classes.`);
    const choice = round.tasks[t]?.classes.findIndex((each) => each.classId === classId) ?? -1;
    const row = flows[t] ?? [];
    requireThat(
      choice >= 0,
      "InvalidFlows",
      () => `Task ${taskId} does not accept class ${classId} of node ${nodeId}.`,
    );
    row[choice] = (row[choice] ?? 0) + units;
    open[t] = (open[t] ?? 0) - units;
  }
  round.tasks.forEach(({ id, units }, t) => {
    const left = open[t] ?? 0;
    requireThat(left >= 0, "TaskOverfilled", () => `Task ${id} is granted ${units - left} units but brought ${units}.`);
  });
  const used = new Map<number, number>();
  for (const { nodeId, units } of placements) used.set(nodeId, (used.get(nodeId) ?? 0) + units);
  for (const each of round.classes) {
    const exchange = withinClass(each, placements, used);
    if (exchange) return { optimal: false, exchange };
  }
  const problem = buildProblem(round);
  const finding = findPrices(problem, { flows, open });
  if (finding.optimal) return finding;
  return { optimal: false, exchange: betweenNodes(round, problem, placements, finding.exchange) };
}

/** The exchange in a class that uses a node while a cheaper one has units left. */
function withinClass(
  { nodes, tickSize }: RoundClass,
  placements: readonly Placement[],
  used: ReadonlyMap<number, number>,
): NodeExchange | undefined {
  let [from, to]: { id: number; tick: number; left: number }[] = [];
  for (const { id, tick, units } of nodes) {
    const taken = used.get(id) ?? 0;
    requireThat(taken <= units, "NodeOverbooked", () => `Node ${id} is granted ${taken} units but lists ${units}.`);
    const it = { id, tick, left: units - taken };
    if (taken > 0 && (!from || tick > from.tick)) from = it;
    if (it.left > 0 && (!to || tick < to.tick)) to = it;
  }
  const there = placements.find(({ nodeId }) => nodeId === from?.id);
  if (!from || !to || !there || from.tick <= to.tick) return undefined;
  const units = Math.min(there.units, to.left);
  const moves: NodeMove[] = [{ taskId: there.taskId, units, from: from.id, to: to.id }];
  const money = BigInt(units) * BigInt((from.tick - to.tick) * tickSize);
  return { moves, saving: money * BigInt(DITHER), words: wordsOf(moves, money) };
}
