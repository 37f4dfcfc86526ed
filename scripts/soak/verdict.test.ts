import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "./judge.ts";
import { leastAgentTasks, planSoak, QUICK } from "./plan.ts";
import type { Outcome } from "./run.ts";
import { judgeOutcome } from "./verdict.ts";

const plan = planSoak(4, QUICK);
const submitted = leastAgentTasks(plan);
const points = Array.from({ length: 40 }, (_, at) => ({ at, value: 100 }));
const watched = ["agent-0", "agent-1", "agent-2", "keeper-0", "keeper-1", "keeper-2"].flatMap((process) =>
  (["memory", "files", "disk"] satisfies Resource[]).map((resource) => ({ process, resource, points })),
);
const tasks = plan.tasks.length + submitted;
// No faults that an alert has to tell: judging alerts has tests of its own.
const outcome: Outcome = {
  seconds: 300,
  days: 1.9,
  actors: {} as Outcome["actors"],
  agentTasks: { submitted, ended: submitted },
  nodes: plan.nodes.length,
  transactions: 1_000,
  done: Object.fromEntries(plan.faults.map(({ kind }) => [kind, 1])),
  reorganised: { blocks: 3, transactions: 5 },
  totals: [{ name: "v1", balance: 9n, escrow: 0n, stake: 0n, claimable: 2n, pool: 7n, prepaid: 2n }],
  work: [{ name: "v1", tasks, units: 300, paid: 200, refunded: 100, lost: 0, violations: [] }],
  watched,
  alerts: [],
  faults: [],
  wrongs: [],
  governed: 2,
  moved: plan.size.agents,
  upgrade: { from: { commit: "0123456789abcdef" }, isWanted: true, upgraded: 3, agents: 3 },
  rounds: 30,
  batches: 10,
  expired: 20,
};
const missed = (changes: Partial<Outcome>): string[] =>
  judgeOutcome(plan, { ...outcome, ...changes }).flatMap(({ goal, met }) =>
    met ? [] : [goal.split(/[:(,]/)[0] ?? ""],
  );

test("a run in which all went well meets every goal", () => {
  assert.deepEqual(missed({}), []);
});

test("a run that leaves something out misses the goal for it, and no other", () => {
  const few = submitted - 1;
  assert.deepEqual(missed({ agentTasks: { submitted: few, ended: few } }), [
    "tasks for real agents that were submitted",
  ]);
  assert.deepEqual(missed({ agentTasks: { submitted, ended: few } }), ["tasks for real agents that did not end"]);
  assert.deepEqual(missed({ upgrade: { ...outcome.upgrade, upgraded: 2 } }), ["agents upgraded from 0123456789ab"]);
  assert.deepEqual(missed({ watched: watched.filter(({ process }) => process !== "keeper-1") }), [
    "each agent and keeper has a life long enough to judge",
  ]);
  assert.deepEqual(missed({ done: { ...outcome.done, migrate: 0 } }), ["every kind of fault was done"]);
  assert.deepEqual(missed({ moved: 2 }), ["real agents that work at the second deployment"]);
});
