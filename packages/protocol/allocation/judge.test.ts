import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { buildProblem, objective, type Round } from "./model.ts";
import { judgeAllocation } from "./judge.ts";
import type { NodeMove, Placement } from "./node-exchange.ts";
import { pathSolver } from "./path-solver.ts";
import { RefusalError, type RefusalCode } from "./refusal.ts";
import { plainRound, planned } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";

/** The exchange that an allocation is refused for, in words. */
function words(round: Round, placements: readonly Placement[]): string {
  const judgement = judgeAllocation(round, placements);
  assert.ok(!judgement.optimal);
  return judgement.exchange.words;
}

/** An allocation after some moves. */
function moved(placements: readonly Placement[], moves: readonly NodeMove[]): Placement[] {
  const units = new Map<string, number>();
  const add = (taskId: number, nodeId: number | undefined, amount: number): void => {
    if (nodeId === undefined) return;
    const key = `${taskId} ${nodeId}`;
    units.set(key, (units.get(key) ?? 0) + amount);
  };
  for (const each of placements) add(each.taskId, each.nodeId, each.units);
  for (const { taskId, from, to, units: amount } of moves) {
    add(taskId, from, -amount);
    add(taskId, to, amount);
  }
  return [...units].flatMap(([key, amount]) => {
    assert.ok(amount >= 0, "nobody moves from where nobody is");
    const [taskId = 0, nodeId = 0] = key.split(" ").map(Number);
    return amount === 0 ? [] : [{ taskId, nodeId, units: amount }];
  });
}

/** What an allocation costs, micro-VER × 1024, counted node by node. */
function costOf(round: Round, placements: readonly Placement[]): bigint {
  const { tasks } = buildProblem(round);
  const prices = new Map(
    round.classes.flatMap(({ nodes, tickSize }, column) =>
      nodes.map(({ id, tick }) => [id, { column, price: tick * tickSize * 1024 }] as const),
    ),
  );
  return tasks.reduce((sum, { id, units, maxPrice, choices }) => {
    const own = placements.filter(({ taskId }) => taskId === id);
    const open = own.reduce((left, each) => left - each.units, units);
    return own.reduce(
      (total, { nodeId, units: its }) => {
        const node = prices.get(nodeId);
        assert.ok(node);
        const surcharge = choices.find(({ column }) => column === node.column)?.surcharge ?? NaN;
        return total + BigInt(its) * BigInt(node.price + surcharge);
      },
      sum + BigInt(open) * BigInt(maxPrice),
    );
  }, 0n);
}

test("the improving exchange is told by nodes, units and VER", () => {
  const one = plainRound({
    tasks: [[5, 90_000, { 1: 0 }]],
    supply: {
      1: [
        [4, 3],
        [12, 4],
      ],
    },
  });
  assert.equal(
    words(one, [
      { taskId: 1, nodeId: 12, units: 4 },
      { taskId: 1, nodeId: 11, units: 1 },
    ]),
    "2 units of task 1 move from node 12 to node 11: saves 0.016 VER",
  );
  assert.equal(
    words(one, [{ taskId: 1, nodeId: 11, units: 3 }]),
    "2 open units of task 1 go to node 12: saves 0.156 VER",
  );
  const dear = plainRound({
    tasks: [[5, 9000, { 1: 0 }]],
    supply: {
      1: [
        [4, 3],
        [12, 4],
      ],
    },
  });
  assert.equal(
    words(dear, [
      { taskId: 1, nodeId: 11, units: 3 },
      { taskId: 1, nodeId: 12, units: 1 },
    ]),
    "1 unit of task 1 leaves node 12 and stays open: saves 0.003 VER",
  );
});

test("between classes, the task on the dearest node moves to the one that is given up", () => {
  // Class 1 is dear at its margin, class 2 has cheap units that only task 1 can use.
  const round = plainRound({
    tasks: [
      [2, 90_000, { 1: 0, 2: 0 }],
      [2, 90_000, { 1: 0 }],
    ],
    supply: {
      1: [
        [1, 2],
        [9, 2],
      ],
      2: [[2, 2]],
    },
  });
  assert.equal(
    words(round, [
      { taskId: 1, nodeId: 11, units: 2 },
      { taskId: 2, nodeId: 12, units: 2 },
    ]),
    "2 units of task 2 move from node 12 to node 11, 2 units of task 1 move from node 11 to node 21: saves 0.014 VER",
  );
});

test("an allocation that does not keep to the round is refused, by name", () => {
  const round = plainRound({
    tasks: [
      [3, 9000, { 1: 0 }],
      [3, 9000, { 2: 0 }],
    ],
    supply: { 1: [[1, 4]], 2: [[1, 2]] },
  });
  const cases: [Placement[], RefusalCode, RegExp][] = [
    [[{ taskId: 7, nodeId: 11, units: 1 }], "InvalidFlows", /Task 7 is not part of round 9/],
    [[{ taskId: 1, nodeId: 31, units: 1 }], "NodeNotListed", /Node 31/],
    [[{ taskId: 1, nodeId: 21, units: 1 }], "InvalidFlows", /Task 1 does not accept class 2 of node 21/],
    [[{ taskId: 1, nodeId: 11, units: 0.5 }], "InvalidFlows", /0\.5 is no number of units/],
    [[{ taskId: 1, nodeId: 11, units: NaN }], "InvalidFlows", /NaN is no number/],
    [[{ taskId: 1, nodeId: 11, units: 4 }], "TaskOverfilled", /granted 4 units but brought 3/],
    [[{ taskId: 2, nodeId: 21, units: 3 }], "NodeOverbooked", /Node 21 is granted 3 units but lists 2/],
  ];
  for (const [placements, code, message] of cases) {
    assert.throws(
      () => judgeAllocation(round, placements),
      (error) => error instanceof RefusalError && error.code === code && message.test(error.message),
    );
  }
});

test("plans are judged optimal; from nothing, exchanges between nodes lead there, each saving what it says", () => {
  let [steps, swaps] = [0, 0];
  fc.assert(
    fc.property(rounds({ tasks: 6, classes: 4, nodes: 6, units: 6 }), (round) => {
      const plan = planned(round);
      assert.ok(judgeAllocation(round, plan.rows).optimal);
      const problem = buildProblem(round);
      let placements: Placement[] = [];
      for (let left = 2000; ; left--) {
        assert.ok(left > 0, "no end");
        const judgement = judgeAllocation(round, placements);
        if (judgement.optimal) break;
        const { exchange } = judgement;
        assert.ok(exchange.saving > 0n && exchange.moves.length > 0);
        const next = moved(placements, exchange.moves);
        assert.equal(costOf(round, placements) - costOf(round, next), exchange.saving, exchange.words);
        placements = next;
        steps += 1;
        if (exchange.moves.length > 1) swaps += 1;
      }
      assert.equal(costOf(round, placements), objective(problem, pathSolver.solve(problem)));
    }),
    seeded(300),
  );
  assert.ok(steps > 1000 && swaps > 100, `${steps} exchanges, ${swaps} of several moves`);
});

test("a plan whose units were shuffled is judged by its cost alone, and led back to the optimum", () => {
  fc.assert(
    fc.property(
      rounds({ tasks: 5, classes: 3, nodes: 6, units: 5 }),
      fc.array(fc.nat(), { minLength: 4 }),
      (round, draws) => {
        const nodes = round.classes.flatMap((each) =>
          each.nodes.map(({ id, units }) => ({ id, units, classId: each.id })),
        );
        const free = new Map(nodes.map(({ id, units }) => [id, units]));
        let placements: Placement[] = [];
        draws.forEach((draw, i) => {
          const task = round.tasks[draw % round.tasks.length];
          const fitting = nodes.filter(
            ({ id, classId }) => task?.classes.some((each) => each.classId === classId) && free.get(id),
          );
          const node = fitting[(draw >> 3) % fitting.length];
          const taken = placements
            .filter(({ taskId }) => taskId === task?.id)
            .reduce((sum, { units }) => sum + units, 0);
          if (!task || !node || taken === task.units) return;
          const units = 1 + (((draw >> 6) + i) % Math.min(task.units - taken, free.get(node.id) ?? 0));
          free.set(node.id, (free.get(node.id) ?? 0) - units);
          placements.push({ taskId: task.id, nodeId: node.id, units });
        });
        const problem = buildProblem(round);
        const least = objective(problem, pathSolver.solve(problem));
        for (let left = 2000; ; left--) {
          assert.ok(left > 0, "no end");
          const judgement = judgeAllocation(round, placements);
          assert.equal(judgement.optimal, costOf(round, placements) === least);
          if (judgement.optimal) break;
          const next = moved(placements, judgement.exchange.moves);
          assert.equal(costOf(round, placements) - costOf(round, next), judgement.exchange.saving);
          placements = next;
        }
      },
    ),
    seeded(500),
  );
});
