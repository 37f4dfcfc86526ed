import { judgeAlerts } from "./alerts.ts";
import {
  type Finding,
  judgeBound,
  judgeFlatness,
  judgeLives,
  judgeNone,
  judgeTotals,
  judgeUpgrade,
  judgeWork,
} from "./judge.ts";
import { KEEPERS, leastAgentTasks, type SoakPlan } from "./plan.ts";
import type { Outcome } from "./run.ts";

/** Seconds of the run's clock after a fault's end in which alerts may still tell of what it left. */
const GRACE = 45;

/** All that a run is held against, with what was found. Pure; O(samples + faults × alerts). */
export function judgeOutcome(plan: SoakPlan, outcome: Outcome): Finding[] {
  const { work, totals, watched, alerts, faults, wrongs, agentTasks, reorganised, done } = outcome;
  const all = work.reduce(
    (sum, each) => ({
      tasks: sum.tasks + each.tasks,
      units: sum.units + each.units,
      paid: sum.paid + each.paid,
      refunded: sum.refunded + each.refunded,
      lost: sum.lost + each.lost,
      violations: [...sum.violations, ...each.violations],
    }),
    { tasks: 0, units: 0, paid: 0, refunded: 0, lost: 0, violations: [] as string[] },
  );
  const { untold, causeless } = judgeAlerts(alerts, faults, GRACE);
  const planned = [...new Set(plan.faults.map(({ kind }) => kind))];
  // One keeper more since the move.
  const processes = [
    ...Array.from({ length: plan.size.agents }, (_, i) => `agent-${String(i)}`),
    ...Array.from({ length: KEEPERS + 1 }, (_, i) => `keeper-${String(i)}`),
  ];
  return [
    judgeBound("tasks submitted", all.tasks, { least: plan.tasks.length + agentTasks.submitted }),
    judgeBound("nodes registered", outcome.nodes, { least: plan.nodes.length }),
    judgeNone(
      "every kind of fault was done",
      planned.filter((kind) => (done[kind] ?? 0) === 0),
    ),
    judgeBound("transactions in blocks that were taken back", reorganised.transactions, { least: 1 }),
    ...judgeWork(all),
    ...totals.flatMap(judgeTotals),
    judgeBound("tasks for real agents that were submitted", agentTasks.submitted, { least: leastAgentTasks(plan) }),
    judgeBound("tasks for real agents that did not end, all paid", agentTasks.submitted - agentTasks.ended, {
      most: 0,
    }),
    judgeBound("changes of governance that took effect", outcome.governed, { least: 2 }),
    judgeUpgrade(outcome.upgrade),
    judgeBound("real agents that work at the second deployment", outcome.moved, { least: plan.size.agents }),
    judgeNone("no mistake in a program, none that ended by itself", wrongs),
    judgeLives(watched, processes),
    ...judgeFlatness(watched),
    judgeNone("every fault is told by the alert that the runbook names", untold),
    judgeNone("no alert without a cause", causeless),
  ];
}
