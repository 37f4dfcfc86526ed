import assert from "node:assert/strict";
import { test } from "node:test";

import { type FaultKind, hasAgentTask, isOfAgent, leastAgentTasks, linesOf, planSoak, QUICK, sizeOf } from "./plan.ts";

const ALL: readonly FaultKind[] = [
  "kill agent",
  "stall agent",
  "cut agent off",
  "lose answers",
  "damage block",
  "kill keeper",
  "cut keeper off",
  "silence oracle",
  "silence confirmation",
  "low funds",
  "gas times 100",
  "reorganise",
  "pause intake",
  "govern",
  "upgrade agents",
  "migrate",
];

test("a seed decides everything, and another seed something else", () => {
  assert.deepEqual(planSoak(7, QUICK), planSoak(7, QUICK));
  assert.notDeepEqual(linesOf(planSoak(7, QUICK)), linesOf(planSoak(8, QUICK)));
});

test("a month is of the size that it is said to be", () => {
  const { nodes, tasks, size, faults } = planSoak(1, sizeOf(30));
  assert.equal(nodes.length, 200);
  assert.equal(tasks.length, 5_000);
  assert.equal(size.steps * 300, 30 * 86_400);
  assert.ok(faults.length > 50, String(faults.length));
});

test("whatever the seed, every kind of fault comes, in the run, and nothing is out of order twice at once", () => {
  for (let seed = 0; seed < 200; seed++) {
    for (const size of seed < 10 ? [QUICK, sizeOf(30)] : [QUICK]) {
      const { faults } = planSoak(seed, size);
      for (const kind of ALL)
        assert.ok(
          faults.some((each) => each.kind === kind),
          `seed ${String(seed)}: no ${kind}`,
        );
      for (const [i, fault] of faults.entries()) {
        assert.ok(fault.step >= 0 && fault.step + fault.lasts < size.steps, JSON.stringify(fault));
        const until = fault.step + fault.lasts;
        const meets = faults.slice(i + 1).filter(({ step }) => step < until);
        if (isOfAgent(fault.kind))
          assert.ok(!meets.some(({ kind }) => isOfAgent(kind)), JSON.stringify([fault, meets]));
        if (fault.kind === "silence oracle") {
          assert.ok(!meets.some(({ kind }) => /silence|gas|migrate/.test(kind)), JSON.stringify([fault, meets]));
        }
      }
      // The first keeper is never killed, so that what it takes can be judged over the whole run.
      assert.ok(faults.every(({ kind, target }) => kind !== "kill keeper" || target === 1));
    }
  }
});

test("nodes come and go without being away twice at once, and tasks are sorted by their step", () => {
  const { nodes, tasks, size } = planSoak(3, sizeOf(30));
  for (const { absences } of nodes) {
    for (const [i, { from, until }] of absences.entries()) {
      assert.ok(from < until);
      assert.ok((absences[i + 1]?.from ?? Infinity) > until);
    }
  }
  assert.ok(tasks.every(({ step }, i) => step >= (tasks[i - 1]?.step ?? 0) && step < size.steps));
  assert.ok(tasks.every(({ classIds }) => classIds.length > 0 && !classIds.includes(1)));
  assert.ok(nodes.some(({ absences }) => absences.some(({ how }) => how === "exits")));
});

test("most of the tasks planned for real agents are asked for, but for those in a pause or after the move", () => {
  const size = { ...QUICK, steps: 500, agentTaskEvery: 100 };
  assert.deepEqual(
    [4, 5, 105, 455, 465].map((step) => hasAgentTask(size, step)),
    [false, true, true, false, false],
  );
  const fault = (kind: FaultKind, step: number, lasts: number) => ({ kind, step, lasts, amount: 0 });
  // Steps 5, 105, 205, 305 and 405; one more at the second deployment.
  assert.equal(leastAgentTasks({ size, faults: [] }), 5);
  assert.equal(leastAgentTasks({ size, faults: [fault("migrate", 405, 0)] }), 4);
  assert.equal(leastAgentTasks({ size, faults: [fault("pause intake", 100, 5)] }), 5);
  assert.equal(leastAgentTasks({ size, faults: [fault("pause intake", 100, 6), fault("migrate", 300, 0)] }), 3);
  assert.ok(leastAgentTasks(planSoak(1, sizeOf(30))) > 30);
});
