import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { supplyAt } from "../exchange.ts";
import { buildProblem, objective, type Problem, type Round, unitsByClass } from "../model.ts";
import { networkSimplex } from "../network-simplex.ts";
import { plainRound, planned } from "../testing/examples.ts";
import { rounds, seeded } from "../testing/rounds.ts";
import { explainNode, type NodeState } from "./node.ts";
import { explainRound, explanationText } from "./round.ts";
import { explainTask } from "./task.ts";
import { viewPlan } from "./view.ts";
import { worthOfSupply } from "./view.ts";

/** Minimum cost of a problem, micro-VER × 1024. */
function least(problem: Problem): bigint {
  return objective(problem, networkSimplex.solve(problem));
}

const viewOf = (round: Round) => viewPlan(round, planned(round));

const state = (id: number, changes: Partial<NodeState> = {}): NodeState => ({
  id,
  classId: 1,
  className: "kind-1/eu",
  ask: 1000,
  capacity: 4,
  leased: 0,
  hindrances: [],
  ...changes,
});

/** Task 1 could use either class, task 2 only the first, which is full; task 3 pays too little. */
const busy = plainRound({
  tasks: [
    [3, 9000, { 1: 0, 2: 500 }],
    [2, 8000, { 1: 0 }],
    [2, 500, { 1: 0 }],
  ],
  supply: {
    1: [
      [1, 2],
      [3, 2],
      [8, 2],
    ],
    2: [
      [4, 2],
      [4, 2],
      [6, 5],
    ],
  },
});

test("a task is told what it got, where and why, what the next unit costs, and what binds", () => {
  const view = viewOf(busy);
  const one = explainTask(view, 1);
  assert.deepEqual([one.units, one.granted, one.open, one.maxPrice], [3, 3, 0, 9000]);
  assert.equal(
    one.paid,
    view.plan.rows.filter(({ taskId }) => taskId === 1).reduce((sum, row) => sum + BigInt(row.price * row.units), 0n),
  );
  assert.equal(one.sentences[0], `Task 1 gets 3 of its 3 units, for ${Number(one.paid) / 1e6} VER in all.`);
  assert.deepEqual(one.binding, { kind: "class", classId: 2 });
  assert.equal(one.nextUnit.cost, 4500);
  assert.match(
    one.sentences.at(-1) ?? "",
    /^One more unit would cost 0\.0045 VER: task 1 would use node 2[12].* in class kind-2\/eu\.$/,
  );
  assert.ok(one.sentences.some((each) => /surcharge of 0\.0005 VER that steers and is not paid/.test(each)));

  // Its class is full at that price: it would push task 1 out, which has somewhere else to go.
  const two = explainTask(view, 2);
  assert.deepEqual(
    two.nextUnit.links.map(({ kind, taskId }) => [kind, taskId]),
    [
      ["displaces", 2],
      ["free", 1],
    ],
  );
  assert.equal(two.nextUnit.cost, 4500);
  assert.match(
    two.sentences.at(-1) ?? "",
    /task 2 would take a unit of class kind-1\/eu from task 1, task 1 would use node/,
  );

  const three = explainTask(view, 3);
  assert.deepEqual(three.binding, { kind: "maxPrice" });
  const [head, choice, ...rest] = three.sentences;
  assert.equal(head, "Task 3 gets 0 of its 2 units.");
  // What class 1 clears at depends on the seed below one micro-VER.
  assert.match(
    choice ?? "",
    /^None run in class kind-1\/eu: it clears at 0\.00(45|4499) VER, 2 of its 6 units are left, and a unit there costs 0\.00(4|3999) VER more than the task pays at most\.$/,
  );
  assert.deepEqual(rest, [
    "2 units stay open for the next round: no further unit of its class is to be had at its maximum price of 0.0005 VER.",
    "One more unit would stay open: its maximum price of 0.0005 VER binds.",
  ]);
  assert.throws(() => explainTask(view, 9), /Task 9 is not part of round 9: its tasks are 1, 2 and 3/);
});

test("a task whose class lists nothing, or whose classes are sold out to others, is told so", () => {
  const none = explainTask(viewOf(plainRound({ tasks: [[1, 900, { 1: 0 }]], supply: { 1: [] } })), 1);
  assert.deepEqual(none.sentences.slice(1, 3), [
    "None run in class kind-1/eu: it lists no units.",
    "1 unit stays open for the next round: none of its classes lists a unit.",
  ]);
  const outbid = viewOf(
    plainRound({
      tasks: [
        [2, 9000, { 1: 0 }],
        [1, 8000, { 1: 0 }],
      ],
      supply: { 1: [[1, 1]] },
    }),
  );
  assert.match(
    explainTask(outbid, 2).sentences[1] ?? "",
    /all of its 1 unit are granted, and a unit there costs 0\.001 VER more/,
  );
});

test("a listed node is told why it got all, a part or nothing", () => {
  const view = viewOf(busy);
  const of = (id: number) => explainNode(view, state(id));
  assert.deepEqual([of(11).reason, of(11).granted], ["granted", 2]);
  assert.match(
    of(11).sentences[0] ?? "",
    /^Node 11 runs 2 of its 2 listed units \(\d for task \d.*\) at its ask of 0\.001 VER; class kind-1\/eu clears at/,
  );
  // Another unit of class 1 saves what the unit in class 2 costs task 1, surcharge included.
  const dear = of(13);
  assert.equal(dear.reason, "priceAbove");
  assert.ok(dear.aboveBy === 3500 || dear.aboveBy === 3501);
  assert.match(
    dear.sentences[0] ?? "",
    /it asks 0\.008 VER, 0\.0035(01)? VER above the 0\.00(45|4499) VER that another unit of class kind-1\/eu is worth/,
  );
  const [served, other] = [21, 22].map(of).sort((a, b) => b.granted - a.granted);
  assert.deepEqual([served?.reason, served?.granted, other?.reason], ["partly", 1, "notDrawn"]);
  assert.match(other?.sentences[0] ?? "", /asks 0\.004 VER, which is what class kind-2\/eu clears at, and the filling/);
});

test("an unlisted node is told all that keeps it out", () => {
  const view = viewOf(busy);
  const reason = (changes: Partial<NodeState>) => {
    const { reason: code, sentences } = explainNode(view, state(99, changes));
    return [code, sentences[0]] as const;
  };
  assert.deepEqual(reason({ classId: 7, className: "cpu/us" }), [
    "classNotWanted",
    "Node 99 gets nothing: no task of the round accepts class cpu/us.",
  ]);
  assert.deepEqual(reason({ leased: 4 }), ["full", "Node 99 gets nothing: all of its 4 units are under lease."]);
  assert.equal(reason({})[0], "notListed");
  assert.deepEqual(reason({ hindrances: [{ kind: "throttled" }, { kind: "draining" }], classId: 7 }), [
    "throttled",
    "Node 99 gets nothing: it is throttled, because it drew more power than its threshold, it is draining and takes no new " +
      "work and no task of the round accepts class kind-1/eu.",
  ]);
  assert.match(
    reason({ hindrances: [{ kind: "coolingDown", until: 1_800_000_000 }] })[1] ?? "",
    /until 2027-01-15T08:00:00/,
  );
  assert.match(
    reason({ hindrances: [{ kind: "overloaded", load: 8000, limit: 6500 }] })[1] ?? "",
    /load of 80 % is above the 65 %/,
  );
  assert.match(
    reason({ hindrances: [{ kind: "slow", latency: 90, limit: 50 }] })[1] ?? "",
    /latency of 90 ms is above the 50 ms/,
  );
  for (const kind of ["gone", "silent", "ineligible", "overloaded", "slow"] as const) {
    assert.equal(reason({ hindrances: [{ kind }] })[0], kind);
  }
});

test("what the next unit of a task costs is what solving again with one unit more costs", () => {
  let chains = 0;
  fc.assert(
    fc.property(rounds({ tasks: 6, classes: 4, nodes: 5, units: 5 }), (round) => {
      const view = viewOf(round);
      const before = least(view.problem);
      view.problem.tasks.forEach((task, t) => {
        const tasks = view.problem.tasks.with(t, { ...task, units: task.units + 1 });
        const explained = explainTask(view, task.id);
        const { nextUnit } = explained;
        const exact = least({ ...view.problem, tasks }) - before;
        assert.equal(exact, BigInt(view.taskPrices[t] ?? 0));
        // In money it is the same but for what the seed adds, below one micro-VER for each step.
        const seed = Number(exact) / 1024 - nextUnit.cost;
        assert.ok(Math.abs(seed) <= nextUnit.links.length + 1, `${seed}`);
        assert.equal(explained.binding.kind === "maxPrice", nextUnit.staysOpen);
        assert.ok(explained.open === 0 || nextUnit.staysOpen);
        if (nextUnit.links.length > 1) chains += 1;
      });
    }),
    seeded(300),
  );
  assert.ok(chains > 20, `${chains} chains`);
});

test("an ask is served below what a unit of its class is worth, and only there", () => {
  let [above, exact] = [0, 0];
  fc.assert(
    fc.property(rounds({ tasks: 5, classes: 4, nodes: 5, units: 4 }), (round) => {
      const problem = buildProblem(round);
      const primal = networkSimplex.solve(problem);
      const worth = worthOfSupply(problem, primal, supplyAt(problem, unitsByClass(problem, primal.flows)));
      const before = objective(problem, primal);
      const withUnitAt = (column: number, price: number): bigint => {
        const classes = problem.classes.map((each, k) => {
          if (k !== column) return each;
          const at = each.steps.find((step) => step.price === price)?.units ?? 0;
          const steps = [...each.steps.filter((step) => step.price !== price), { price, units: at + 1 }];
          return { ...each, steps: steps.sort((a, b) => a.price - b.price) };
        });
        return before - least({ ...problem, classes });
      };
      worth.forEach((price, column) => {
        assert.equal(withUnitAt(column, Math.max(0, price)), 0n);
        if (price > 0) assert.equal(withUnitAt(column, price - 1), 1n);
      });
      const view = viewOf(round);
      for (const { id, tickSize, nodes } of round.classes) {
        for (const node of nodes) {
          const it = explainNode(view, state(node.id, { classId: id }));
          if (it.reason === "notDrawn") exact += 1;
          if (it.aboveBy === undefined) continue;
          above += 1;
          const column = round.classes.findIndex((each) => each.id === id);
          const ask = node.tick * tickSize;
          // One micro-VER less than its gap is not enough, and one more than it is.
          assert.equal(withUnitAt(column, (ask - it.aboveBy + 1) * 1024), 0n);
          if (ask - it.aboveBy >= 1) assert.ok(withUnitAt(column, (ask - it.aboveBy - 1) * 1024) > 0n);
        }
      }
    }),
    seeded(200),
  );
  assert.ok(above > 100 && exact > 20, `${above} above, ${exact} not drawn`);
});

test("the whole plan is explained as data and as text", () => {
  const plan = planned(busy);
  const nodes = [state(11), state(13), state(99, { hindrances: [{ kind: "silent" }] })];
  const explained = explainRound(busy, plan, nodes);
  assert.deepEqual(
    explained.tasks.map(({ taskId, granted }) => [taskId, granted]),
    [
      [1, 3],
      [2, 2],
      [3, 0],
    ],
  );
  assert.deepEqual(
    explained.nodes.map(({ reason }) => reason),
    ["granted", "priceAbove", "silent"],
  );
  const text = explanationText(explained);
  assert.match(text, /^Round 9: 5 units leased for 0\.012 VER, 2 stay open \(shortest paths, certified\)\./);
  for (const sentence of [...explained.tasks, ...explained.nodes].flatMap(({ sentences }) => sentences)) {
    assert.ok(text.includes(sentence), sentence);
  }
  assert.doesNotMatch(text, /undefined|NaN|Infinity/);
});
