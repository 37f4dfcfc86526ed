import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { CLEARING_UNBOUNDED, findPrices } from "./certificate.ts";
import { certify } from "./certify.ts";
import { applyExchange } from "./exchange.ts";
import { buildProblem, objective, type Primal } from "./model.ts";
import { pathSolver } from "./path-solver.ts";
import { RefusalError, type RefusalCode } from "./refusal.ts";
import { allOpen, moveUnits, plainRound } from "./testing/examples.ts";
import { rounds, seeded } from "./testing/rounds.ts";

const coded =
  (code: RefusalCode, message = /./) =>
  (error: unknown) =>
    error instanceof RefusalError && error.code === code && message.test(error.message);

/** The improving exchange of a solution, in words. */
function words(round: Parameters<typeof buildProblem>[0], primal: Primal): string {
  const finding = findPrices(buildProblem(round), primal);
  assert.ok(!finding.optimal);
  return finding.exchange.words;
}

test("prices are found at the margin: the cheapest unused step, a task's limit, or no limit at all", () => {
  const round = plainRound({
    // Class 1 has units to spare, class 2 is sold out to a task that would pay 9000, class 3 lists nothing.
    tasks: [
      [3, 20_000, { 1: 0 }],
      [4, 9000, { 2: 500, 3: 0 }],
    ],
    supply: {
      1: [
        [5, 2],
        [7, 2],
      ],
      2: [[4, 3]],
      3: [],
    },
  });
  const problem = buildProblem(round);
  const finding = findPrices(problem, { flows: [[3], [3, 0]], open: [0, 1] });
  assert.ok(finding.optimal);
  const surcharge = BigInt(problem.tasks[1]?.choices[0]?.surcharge ?? 0);
  const limit = 9000n * 1024n + 1023n;
  assert.deepEqual(finding.certificate.clearing, [7000n * 1024n, limit - surcharge, BigInt(CLEARING_UNBOUNDED)]);
  assert.deepEqual(finding.certificate.taskPrices, [
    7000n * 1024n + BigInt(problem.tasks[0]?.choices[0]?.surcharge ?? 0),
    limit,
  ]);
});

test("the improving exchange is said in words", () => {
  const two = plainRound({ tasks: [[2, 9000, { 1: 0, 2: 0 }]], supply: { 1: [[3, 5]], 2: [[1, 5]] } });
  assert.equal(
    words(two, { flows: [[1, 1]], open: [0] }),
    "1 unit of task 1 moves from class kind-1/eu to class kind-2/eu: saves 0.002 VER",
  );
  const idle = plainRound({ tasks: [[2, 9000, { 2: 0 }]], supply: { 2: [[1, 5]] } });
  assert.equal(
    words(idle, { flows: [[0]], open: [2] }),
    "2 open units of task 1 go to class kind-2/eu: saves 0.016 VER",
  );
  const dear = plainRound({ tasks: [[2, 900, { 1: 0 }]], supply: { 1: [[3, 5]] } });
  assert.equal(
    words(dear, { flows: [[1]], open: [1] }),
    "1 unit of task 1 leaves class kind-1/eu and stays open: saves 0.0021 VER",
  );
  // Task 1 can use class 2 as well; task 2 only class 1, which is full.
  const chain = plainRound({
    tasks: [
      [1, 9000, { 1: 0, 2: 0 }],
      [1, 9000, { 1: 0 }],
    ],
    supply: { 1: [[1, 1]], 2: [[2, 1]] },
  });
  assert.equal(
    words(chain, { flows: [[1, 0], [0]], open: [0, 1] }),
    "1 unit of task 1 moves from class kind-1/eu to class kind-2/eu, 1 open unit of task 2 goes to class kind-1/eu: " +
      "saves 0.007 VER",
  );
  // The same two units, each in the class that costs it more.
  const swap = plainRound({
    tasks: [
      [1, 9000, { 1: 0, 2: 700 }],
      [1, 9000, { 1: 700, 2: 0 }],
    ],
    supply: { 1: [[1, 1]], 2: [[1, 1]] },
  });
  assert.match(
    words(swap, {
      flows: [
        [0, 1],
        [1, 0],
      ],
      open: [0, 0],
    }),
    /kind-2\/eu to class kind-1\/eu.*saves 0\.0014 VER$/,
  );
});

test("where only the seed tells classes apart, it is the seed that is named", () => {
  const round = plainRound({ tasks: [[1, 9000, { 1: 0, 2: 0 }]], supply: { 1: [[1, 1]], 2: [[1, 1]] } });
  const flows = [
    [1, 0],
    [0, 1],
  ].map((row) => ({ flows: [row], open: [0] }));
  const worse = flows.filter((primal) => !findPrices(buildProblem(round), primal).optimal);
  assert.equal(worse.length, 1);
  assert.match(words(round, worse[0] ?? { flows: [], open: [] }), /costs the same, and is what the seed prefers$/);
});

test("from any solution, exchanges lead to the optimum, each saving what it says", () => {
  fc.assert(
    fc.property(rounds({ tasks: 6, classes: 4, nodes: 6, units: 6 }), (round) => {
      const problem = buildProblem(round);
      let primal = allOpen(problem);
      for (let steps = 0; ; steps++) {
        assert.ok(steps < 2000, "no end");
        const finding = findPrices(problem, primal);
        if (finding.optimal) break;
        const { exchange } = finding;
        const next = applyExchange(primal, exchange);
        assert.ok(exchange.saving > 0n && exchange.units > 0);
        assert.equal(objective(problem, primal) - objective(problem, next), exchange.saving);
        primal = next;
      }
      assert.equal(objective(problem, primal), objective(problem, pathSolver.solve(problem)));
    }),
    seeded(300),
  );
});

test("a solution changed by a unit is refused by the old prices and has none of its own, or is as good", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      rounds({ tasks: 5, classes: 4, nodes: 6, units: 4 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      (round, a, b, c) => {
        const problem = buildProblem(round);
        const optimum = pathSolver.solve(problem);
        const finding = findPrices(problem, optimum);
        assert.ok(finding.optimal);
        const task = a % problem.tasks.length;
        const places = [undefined, ...(problem.tasks[task]?.choices.keys() ?? [])];
        const [from, to] = [places[b % places.length], places[c % places.length]];
        const changed = moveUnits(optimum, task, from, to);
        let accepted = true;
        try {
          certify(problem, changed, finding.certificate.clearing);
        } catch (error) {
          assert.ok(error instanceof RefusalError);
          accepted = false;
        }
        if (!accepted) refused += 1;
        if (accepted) return assert.equal(objective(problem, changed), objective(problem, optimum));
        let other;
        try {
          other = findPrices(problem, changed);
        } catch (error) {
          return assert.ok(error instanceof RefusalError, "not feasible");
        }
        // Prices recovered from one optimal solution certify every other, so what they refuse is dearer.
        assert.ok(!other.optimal);
        assert.ok(objective(problem, changed) > objective(problem, optimum));
      },
    ),
    seeded(2000),
  );
  assert.ok(refused > 500, `${refused} refused`);
});

test("each check has its own refusal", () => {
  const round = plainRound({
    tasks: [[4, 9000, { 1: 0, 2: 0 }]],
    supply: {
      1: [
        [1, 3],
        [5, 3],
      ],
      2: [[3, 3]],
    },
  });
  const problem = buildProblem(round);
  const [q1 = 0n, q2 = 0n] = problem.tasks[0]?.choices.map(({ surcharge }) => BigInt(surcharge)) ?? [];
  const scaled = (micro: number): bigint => BigInt(micro) * 1024n;
  const good: Primal = { flows: [[3, 1]], open: [0] };
  // Class 2's marginal tick is 3; class 1 must cost the task as much.
  const clearing = [scaled(3000) + q2 - q1, scaled(3000)];
  assert.equal(certify(problem, good, clearing).taskPrices[0], scaled(3000) + q2);

  const refuse = (primal: Primal, prices: readonly bigint[], code: RefusalCode, message?: RegExp): void => {
    assert.throws(() => certify(problem, primal, prices), coded(code, message));
  };
  refuse({ flows: [[4, 1]], open: [-1] }, clearing, "InvalidFlows");
  refuse({ flows: [[4, 1]], open: [0] }, clearing, "TaskOverfilled", /granted 5 units although it brought 4/);
  refuse({ flows: [[3, 0]], open: [0] }, clearing, "InvalidFlows", /3 are granted and 0 stay open/);
  refuse({ flows: [[3, NaN]], open: [1] }, clearing, "InvalidFlows");
  refuse({ flows: [[2.5, 1.5]], open: [0] }, clearing, "InvalidFlows");
  refuse({ flows: [[4]], open: [0] }, clearing, "InvalidFlows");
  refuse({ flows: [], open: [] }, clearing, "InvalidFlows");
  refuse({ flows: [[0, 4]], open: [0] }, clearing, "ClearingPriceMismatch", /4 units flow .* lists 3/);
  refuse(good, [scaled(3000)], "InvalidPrice");
  refuse(good, [-1n, scaled(3000)], "InvalidPrice");
  refuse(good, [scaled(3000), 2n ** 64n], "InvalidPrice");
  refuse(good, [clearing[0] ?? 0n, scaled(3001)], "FlowNotCheapest", /Task 1 uses class kind-2\/eu at/);
  refuse({ flows: [[3, 0]], open: [1] }, clearing, "OpenUnitsAffordable", /below its maximum of 0\.009 VER/);
  // Everything is as cheap as the prices say, but the prices are not what the supply says.
  refuse({ flows: [[2, 2]], open: [0] }, clearing, "ClearingPriceMismatch", /at least 3 and at most 3/);
  refuse(good, [scaled(1), scaled(1) + q1 - q2], "ClearingPriceMismatch");
});
