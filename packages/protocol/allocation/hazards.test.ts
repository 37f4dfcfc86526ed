/* What libraries are known to get wrong, and what stands between that and a post. */
import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import lp from "javascript-lp-solver";

import { createHighsSolver } from "./highs-solver.ts";
import { lpSolver } from "./lp-solver.ts";
import { buildProblem, objective, type Round } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { pathSolver } from "./path-solver.ts";
import { planRound, planRoundWith } from "./round-plan.ts";
import type { Solver } from "./solver.ts";
import { leastCost } from "./testing/enumerate.ts";
import { plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";
import { MoneyError, parsePrice, weiToMicro } from "../money/ver.ts";

const highs = await createHighsSolver();

const good = plainRound({
  tasks: [
    [4, 9000, { 1: 0, 2: 0 }],
    [2, 7000, { 2: 500 }],
  ],
  supply: {
    1: [
      [1, 3],
      [5, 3],
    ],
    2: [[3, 3]],
  },
});

/** A solver that must not be asked. */
const untouched: Solver = { name: "untouched", solve: () => assert.fail("the solver was asked") };

test("javascript-lp-solver takes NaN for a price and answers; here it is never asked", () => {
  const answer = lp.Solve({
    optimize: "cost",
    opType: "min",
    constraints: { demand: { min: 5 } },
    variables: { x: { cost: NaN, demand: 1 } },
  }) as Record<string, unknown>;
  assert.equal(answer.feasible, true, "the library has changed: look at its guards again");
  for (const bad of [NaN, Infinity, -1, 1.5, 2 ** 60]) {
    for (const round of [
      { ...good, tasks: good.tasks.map((task) => ({ ...task, maxPrice: bad })) },
      { ...good, classes: good.classes.map((each) => ({ ...each, tickSize: bad })) },
    ]) {
      const plan = planRound(round, untouched);
      assert.equal(plan.kind === "refusal" && plan.code, "InvalidRound");
    }
  }
});

test("it ignores a constraint that it does not know; a class that is not there never gets that far", () => {
  const answer = lp.Solve({
    optimize: "cost",
    opType: "max",
    constraints: { capacity: { max: 5 } },
    variables: { x: { cost: 1, capacity: 1, capcity2: 1 }, y: { cost: 0, capacity: 1 } },
  }) as Record<string, unknown>;
  // A misspelt row is no row at all, and nobody hears of it.
  assert.deepEqual([answer.feasible, answer.x], [true, 5]);
  const missing = { ...good, classes: good.classes.slice(0, 1) };
  const plan = planRound(missing, untouched);
  assert.match(plan.kind === "refusal" ? plan.why : "", /accepts class 2, which the round does not have/);
});

test("names that mean something to a library or to JavaScript are names like any other", () => {
  const expected = objective(buildProblem(good), pathSolver.solve(buildProblem(good)));
  const names = [
    "result",
    "feasible",
    "bounded",
    "isIntegral",
    "__proto__",
    "constructor",
    "cost",
    "t0",
    "k0",
    "v1",
    "",
  ];
  for (const [i, name] of names.entries()) {
    const other = names[(i + 1) % names.length] ?? "";
    const round: Round = {
      ...good,
      classes: good.classes.map((each, k) => ({ ...each, name: k === 0 ? name : other })),
    };
    for (const solver of [lpSolver, highs, networkSimplex, pathSolver]) {
      const plan = planRound(round, solver);
      assert.equal(plan.kind === "plan" && plan.objective, expected, `${solver.name} with ${name}`);
    }
  }
});

test("prices as small as can be: nothing below a micro-VER gets in, and single ones are told apart", () => {
  assert.throws(() => parsePrice("0.00000001"), MoneyError);
  assert.throws(() => weiToMicro(10n ** 10n), MoneyError);
  fc.assert(
    fc.property(rounds({ tasks: 4, classes: 3, nodes: 4, units: 4 }), (round) => {
      const tiny: Round = {
        ...round,
        tasks: round.tasks.map((task) => ({ ...task, maxPrice: 1 + (task.maxPrice % 3) })),
        classes: round.classes.map((each) => ({ ...each, tickSize: 1 })),
      };
      const plan = planRound(tiny, highs);
      assert.equal(plan.kind === "plan" && plan.objective, leastCost(tiny), plan.kind === "refusal" ? plan.why : "");
    }),
    seeded(200),
  );
});

test("prices as large as can be: HiGHS is right or refused, and the next solver's result is posted", () => {
  assert.throws(() => parsePrice("10000000000000000000"), MoneyError);
  let refused = 0;
  const tickSize = Math.floor((2 ** 40 - 1) / 4095);
  fc.assert(
    fc.property(rounds({ tasks: 5, classes: 4, nodes: 5, units: 5 }), (round) => {
      // From one micro-VER to the highest price there is, in one round.
      const wide: Round = {
        ...round,
        tasks: round.tasks.map((task, t) => ({ ...task, maxPrice: t % 2 === 0 ? 2 ** 40 - 1 : task.maxPrice })),
        classes: round.classes.map((each, k) => ({ ...each, tickSize: k % 2 === 0 ? tickSize : 1 })),
      };
      const problem = buildProblem(wide);
      const least = objective(problem, pathSolver.solve(problem));
      const alone = planRound(wide, highs);
      if (alone.kind === "refusal") refused += 1;
      else assert.equal(alone.objective, least);
      const plan = planRoundWith(wide, [highs, networkSimplex]);
      assert.equal(plan.kind === "plan" && plan.objective, least);
    }),
    seeded(300),
  );
  assert.ok(refused < 150, `${refused} of 300 refused`);
});
