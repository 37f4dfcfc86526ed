import assert from "node:assert/strict";
import { test } from "node:test";

import { findPrices } from "@verai/protocol/allocation/certificate";
import { objective } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { marketProblem } from "@verai/protocol/allocation/testing/market";
import { allocateForeign, available, FOREIGN } from "./foreign.ts";
import { FLAT, problemOf } from "./instances.ts";
import { mpsOf, primalOf, programOf } from "./program.ts";

const problem = marketProblem({ tasks: 20, nodes: 200, classes: 6, density: 0.5, demand: 0.9, seed: 1 });

test("the sparse program says what the problem says: the optimum's values cost as much, and come back as its flows", () => {
  const optimum = networkSimplex.solve(problem);
  const { columns, demand, classes } = programOf(problem);
  const values = problem.tasks.flatMap((_, t) => [optimum.open[t] ?? 0, ...(optimum.flows[t] ?? [])]);
  // Each class buys what flows through it, cheapest first.
  const left = Array.from({ length: classes }, () => 0);
  values.forEach((value, c) => {
    const row = columns[c]?.rows[1];
    if (row !== undefined) left[row - demand.length] = (left[row - demand.length] ?? 0) + value;
  });
  for (const { rows, most } of columns.slice(values.length)) {
    const column = (rows[0] ?? 0) - demand.length;
    const taken = Math.min(most ?? Infinity, left[column] ?? 0);
    left[column] = (left[column] ?? 0) - taken;
    values.push(taken);
  }
  assert.ok(left.every((units) => units === 0));
  const cost = columns.reduce((sum, column, c) => sum + BigInt(column.cost) * BigInt(values[c] ?? 0), 0n);
  assert.equal(cost, objective(problem, optimum));
  assert.deepEqual(
    primalOf(problem, (c) => values[c] ?? 0, "test"),
    optimum,
  );
  assert.equal(mpsOf(programOf(problem)).match(/^ c\d+ cost /gm)?.length, columns.length);
});

// An environment of Python is made by the benchmark, not by tests: those that are there are tried.
const { commands } = available({ install: false });
for (const name of FOREIGN) {
  test(`${name} finds the same optimum`, { skip: !commands[name] && "not installed" }, async () => {
    const { primal, times } = await allocateForeign(name, commands[name] ?? "", problem);
    assert.equal(times.length, 1);
    assert.ok(findPrices(problem, primal).optimal);
    assert.equal(objective(problem, primal), objective(problem, networkSimplex.solve(problem)));
  });
}

test("a market is the same flat: a class for each node, and an optimum that costs as much", () => {
  const [plain, flat] = FLAT;
  assert.ok(plain && flat?.flat);
  const small = { ...plain, tasks: 10, nodes: 60, classes: 4 };
  const spread = problemOf({ ...small, flat: true }, 1);
  assert.equal(spread.classes.length, 60);
  const problem = problemOf(small, 1);
  assert.equal(objective(spread, networkSimplex.solve(spread)), objective(problem, networkSimplex.solve(problem)));
});
