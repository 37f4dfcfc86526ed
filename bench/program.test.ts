import assert from "node:assert/strict";
import { test } from "node:test";

import { findPrices } from "@verai/protocol/allocation/certificate";
import { objective } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { marketProblem } from "@verai/protocol/allocation/testing/market";
import { FOREIGN, installed, solveForeign } from "./foreign.ts";
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

for (const name of Object.keys(FOREIGN)) {
  test(`${name} finds the same optimum`, { skip: !installed().includes(name) && "not installed" }, async () => {
    const { primal } = await solveForeign(name, problem);
    assert.ok(findPrices(problem, primal).optimal);
    assert.equal(objective(problem, primal), objective(problem, networkSimplex.solve(problem)));
  });
}
