import { formatPrice } from "../../money/ver.ts";
import type { Round } from "../model.ts";
import type { RoundPlan } from "../round-plan.ts";
import { explainNode, type NodeExplanation, type NodeState } from "./node.ts";
import { explainTask, type TaskExplanation } from "./task.ts";
import { count, viewPlan } from "./view.ts";

/** Why a plan is as it is, task by task and node by node. */
export interface RoundExplanation {
  readonly roundId: number;
  /** Solver that found it. */
  readonly solver: string;
  /** What the nodes are paid in all, micro-VER. */
  readonly cost: bigint;
  readonly tasks: readonly TaskExplanation[];
  /** Those that were asked about. */
  readonly nodes: readonly NodeExplanation[];
}

/** Explains a whole plan. O(tasks² × accepted classes + (tasks + nodes asked about) × (nodes + rows)). */
export function explainRound(round: Round, plan: RoundPlan, nodes: readonly NodeState[] = []): RoundExplanation {
  const view = viewPlan(round, plan);
  return {
    roundId: round.roundId,
    solver: plan.solver,
    cost: plan.cost.microVer,
    tasks: round.tasks.map(({ id }) => explainTask(view, id)),
    nodes: nodes.map((node) => explainNode(view, node)),
  };
}

/** An explanation as text for people, a paragraph for each task and a line for each node. */
export function explanationText({ roundId, solver, cost, tasks, nodes }: RoundExplanation): string {
  const units = tasks.reduce((sum, { granted }) => sum + granted, 0);
  const open = tasks.reduce((sum, each) => sum + each.open, 0);
  return [
    `Round ${roundId}: ${count(units, "unit")} leased for ${formatPrice(cost)} VER, ${open} stay open (${solver}, certified).`,
    ...tasks.map(({ sentences: [first = "", ...others] }) => [first, ...others.map((each) => `  ${each}`)].join("\n")),
    ...(nodes.length > 0 ? [nodes.flatMap(({ sentences }) => sentences).join("\n")] : []),
    "",
  ].join("\n\n");
}
