import assert from "node:assert/strict";
import { test } from "node:test";

import { lpSolver } from "./lp-solver.ts";
import type { Problem } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { pathSolver } from "./path-solver.ts";
import { planRound, planRoundWith } from "./round-plan.ts";
import type { RefusalCode } from "./refusal.ts";
import type { Solver } from "./solver.ts";
import { allOpen, moveUnits, plainRound, TICK_SIZE } from "./testing/examples.ts";
import { marketProblem } from "./testing/market.ts";

const round = plainRound({
  tasks: [
    [150, 9000, { 1: 0, 2: 500 }],
    [10, 6000, { 2: 0 }],
    [5, 500, { 1: 0 }],
  ],
  supply: {
    1: [
      [1, 100],
      [6, 50],
    ],
    2: [
      [3, 40],
      [5, 60],
    ],
  },
});

test("a round is planned: rows, clearing prices, cost and what stays open", () => {
  for (const solver of [lpSolver, networkSimplex, pathSolver]) {
    const plan = planRound(round, solver);
    assert.ok(plan.kind === "plan");
    // Task 1 takes 100 at 0.001 and, surcharge included, the 30 at 0.003 that task 2 leaves and 20 at 0.005.
    const paid = 100 * 1000 + 10 * 3000 + 30 * 3000 + 20 * 5000;
    assert.equal(plan.cost.microVer, BigInt(paid));
    assert.equal(plan.cost.wei, BigInt(paid) * 10n ** 12n);
    assert.deepEqual(plan.openUnits, [
      { taskId: 1, units: 0 },
      { taskId: 2, units: 0 },
      { taskId: 3, units: 5 },
    ]);
    assert.deepEqual(
      plan.clearing.map(({ classId, units }) => [classId, units]),
      [
        [1, 100],
        [2, 60],
      ],
    );
    assert.equal(plan.clearing[1]?.price, BigInt(5 * TICK_SIZE * 1024));
    const through = (taskId: number, classId: number): number =>
      plan.rows
        .filter((row) => row.taskId === taskId && row.classId === classId)
        .reduce((sum, { units }) => sum + units, 0);
    assert.deepEqual([through(1, 1), through(1, 2), through(2, 2), through(3, 1)], [100, 50, 10, 0]);
    assert.equal(plan.solver, solver.name);
  }
});

test("a round that nothing can serve is planned with everything open", () => {
  const plan = planRound(plainRound({ tasks: [[3, 900, { 1: 0 }]], supply: { 1: [] } }), lpSolver);
  assert.ok(plan.kind === "plan");
  assert.deepEqual([plan.rows, plan.cost.wei, plan.openUnits], [[], 0n, [{ taskId: 1, units: 3 }]]);
  assert.equal(plan.clearing[0]?.price, 2n ** 53n - 1n);
});

const broken = (name: string, solve: Solver["solve"]): Solver => ({ name, solve });

test("whatever a solver returns, nothing uncertified becomes a plan", () => {
  const optimum = (problem: Problem) => pathSolver.solve(problem);
  const cases: [Solver, RefusalCode, RegExp][] = [
    [
      broken("lazy", allOpen),
      "NotOptimal",
      /lazy is not optimal: 100 open units of task 1 go to node 11: saves 0\.8 VER/,
    ],
    [
      broken("off by one", (p) => moveUnits(optimum(p), 0, 0, 1)),
      "NotOptimal",
      /1 unit of task 1 moves from node 22 to node 11: saves/,
    ],
    [broken("greedy", (p) => moveUnits(optimum(p), 0, 1, 0, 60)), "InvalidFlows", /task 1/],
    [
      broken("overbooked", (p) => moveUnits(optimum(p), 2, undefined, 0)),
      "NotOptimal",
      /not optimal: 1 unit of task 1 moves/,
    ],
    [broken("generous", (p) => ({ ...optimum(p), flows: [[200, 0], [0], [0]] })), "TaskOverfilled", /200 units/],
    [broken("NaN", (p) => ({ ...optimum(p), flows: [[NaN, NaN], [NaN], [NaN]] })), "InvalidFlows", /whole number/],
    [broken("empty", () => ({ flows: [], open: [] })), "InvalidFlows", /0 tasks/],
    [
      broken("crash", () => {
        throw new Error("out of memory");
      }),
      "SolverFailed",
      /crash failed: out of memory/,
    ],
  ];
  for (const [solver, code, why] of cases) {
    const refusal = planRound(round, solver);
    assert.ok(refusal.kind === "refusal", solver.name);
    assert.equal(refusal.code, code, solver.name);
    assert.match(refusal.why, why);
    assert.equal(refusal.exchange !== undefined, code === "NotOptimal");
  }
});

test("a snapshot that contradicts itself is refused, no matter who would solve it", () => {
  const refusal = planRoundWith({ ...round, seed: "0x" }, [lpSolver, pathSolver]);
  assert.ok(refusal.kind === "refusal");
  assert.deepEqual([refusal.code, refusal.solver], ["InvalidRound", lpSolver.name]);
});

test("the next solver is asked when the first one fails, and the last one's refusal stands", () => {
  const lazy = broken("lazy", allOpen);
  const plan = planRoundWith(round, [lazy, pathSolver]);
  assert.deepEqual([plan.kind, plan.solver], ["plan", pathSolver.name]);
  assert.equal(planRoundWith(round, [lpSolver, lazy]).solver, lpSolver.name);
  const refusal = planRoundWith(round, [broken("first", allOpen), lazy]);
  assert.deepEqual([refusal.kind, refusal.solver], ["refusal", "lazy"]);
});

test("a solver is left out of rounds that do not suit it, unless they suit none", () => {
  const small: Solver = { ...lpSolver, suits: () => false };
  assert.equal(planRoundWith(round, [small, networkSimplex]).solver, networkSimplex.name);
  assert.equal(planRoundWith(round, [small]).solver, small.name);
  assert.equal(planRoundWith(round, [lpSolver, networkSimplex]).solver, lpSolver.name);
  const market = marketProblem({ tasks: 200, classes: 20, nodes: 2000, density: 0.5, demand: 1, seed: 1 });
  assert.equal(lpSolver.suits?.(market), false);
});

test("an ask at exactly the maximum price is served, one a micro-VER above it never", () => {
  const at = (maxPrice: number, seed: number) => {
    const plain = plainRound({ tasks: [[4, maxPrice, { 1: 500 }]], supply: { 1: [[2, 4]] } });
    const plan = planRound({ ...plain, seed: `0x${seed.toString(16).padStart(64, "0")}` }, pathSolver);
    assert.ok(plan.kind === "plan");
    return plan.openUnits[0]?.units;
  };
  // The highest of the 1024 dithers makes it a tie, which the solver may leave open.
  const served = Array.from({ length: 200 }, (_, seed) => at(2500, seed)).filter((open) => open === 0).length;
  assert.ok(served >= 195, `${served} of 200`);
  for (let seed = 0; seed < 50; seed++) assert.equal(at(2499, seed), 4);
});
