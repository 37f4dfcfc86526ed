import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { classesOf, dearest, isLegal, ROUND_BUDGET, type Shape, tableShapes } from "./shapes.ts";

const limits = { tasks: 128, units: 256, taskClasses: 16, roundClasses: 64 };
const most: Shape = { tasks: 16, accepts: 16, classes: 64, leases: 180, supply: "part" };

test("the tasks of a shape accept all of its classes between them, each as many as it says", () => {
  for (const shape of [...tableShapes(limits), { ...most, tasks: 4 }, { ...most, tasks: 5, accepts: 13 }]) {
    assert.ok(isLegal(shape, limits), JSON.stringify(shape));
    const lists = Array.from({ length: shape.tasks }, (_, t) => classesOf(shape, t));
    for (const list of lists) assert.equal(new Set(list).size, shape.accepts);
    assert.deepEqual(
      [...new Set(lists.flat())].sort((a, b) => a - b),
      Array.from({ length: shape.classes }, (_, k) => k),
    );
  }
  assert.ok(!isLegal({ ...most, leases: 181 }, limits));
  assert.ok(!isLegal({ ...most, tasks: 17 }, limits));
  assert.ok(!isLegal({ ...most, accepts: 2 }, limits));
  assert.ok(!isLegal({ ...most, leases: 63 }, limits));
});

test("the budget of a round is that of the contract", () => {
  const source = readFileSync(new URL("../../contracts/core/tasks/RoundBudget.sol", import.meta.url), "utf8");
  for (const [name, value] of Object.entries(ROUND_BUDGET)) {
    const [, found = ""] = new RegExp(`constant ${name} = ([\\d_]+);`).exec(source) ?? [];
    assert.equal(Number(found.replaceAll("_", "")), value, name);
  }
});

test("the search climbs to a dearer shape, measures none twice, and no more than it may", async () => {
  const start: Shape = { tasks: 1, accepts: 1, classes: 1, leases: 16, supply: "all" };
  const search = async (atMost: number) => {
    const seen = new Set<string>();
    const found = await dearest([start], limits, atMost, async (shape) => {
      assert.ok(isLegal(shape, limits));
      assert.ok(!seen.has(JSON.stringify(shape)));
      seen.add(JSON.stringify(shape));
      return shape.leases + (shape.supply === "part" ? 1 : 0);
    });
    assert.equal(found.tried, seen.size);
    return found;
  };
  const { shape } = await search(1_000);
  assert.equal(shape.leases, 256);
  assert.equal(shape.supply, "part");
  assert.equal((await search(5)).tried, 5);
});
