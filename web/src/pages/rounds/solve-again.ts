import { explainTask } from "@verai/protocol/allocation/explain/task";
import { viewPlan } from "@verai/protocol/allocation/explain/view";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { buildProblem, type Round } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";

/** What a solver found, beside what was posted. */
interface Solved {
  readonly solver: string;
  readonly same: boolean;
  readonly text: string;
}

/** Solves a round with every solver that is quick for its size, and compares with the post that settled it. */
export function solveAgain(round: Round, post: Uint8Array, objective: bigint): Solved[] {
  const problem = buildProblem(round);
  return [networkSimplex, lpSolver]
    .filter((solver) => solver.suits?.(problem) ?? true)
    .map((solver) => {
      const began = performance.now();
      const plan = planRound(round, solver);
      const ms = Math.max(1, Math.round(performance.now() - began));
      if (plan.kind === "refusal") return { solver: solver.name, same: false, text: plan.why };
      const bytes = plan.post.length === post.length && plan.post.every((byte, i) => byte === post[i]);
      const cost = plan.objective === objective;
      const text = bytes
        ? "the same minimum, and the same post byte for byte"
        : cost
          ? "the same minimum by another optimal post"
          : `another minimum: ${String(plan.objective)} where ${String(objective)} was posted`;
      return { solver: solver.name, same: cost, text: `${text}, in ${String(ms)} ms` };
    });
}

/** Why each task of a round got what it got, in sentences. */
export function reasonsOf(round: Round): { readonly taskId: number; readonly sentences: readonly string[] }[] {
  const plan = planRound(round, networkSimplex);
  if (plan.kind === "refusal") return [];
  const view = viewPlan(round, plan);
  return round.tasks.map(({ id }) => ({ taskId: id, sentences: explainTask(view, id).sentences }));
}
