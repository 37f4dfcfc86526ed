import assert from "node:assert/strict";
import { test } from "node:test";

import { classesOf, dearest, isLegal, type Shape, tableShapes } from "./shapes.ts";

const limits = { tasks: 16, units: 192, taskClasses: 16, roundClasses: 64 };
const most: Shape = { tasks: 16, accepts: 16, classes: 64, leases: 192, supply: "part" };

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
  assert.ok(!isLegal({ ...most, tasks: 17 }, limits));
  assert.ok(!isLegal({ ...most, accepts: 2 }, limits));
  assert.ok(!isLegal({ ...most, leases: 63 }, limits));
});

test("the search climbs to a shape from which no change of one part is dearer, and measures none twice", async () => {
  const seen = new Set<string>();
  const cost = async (shape: Shape): Promise<number> => {
    assert.ok(isLegal(shape, limits));
    assert.ok(!seen.has(JSON.stringify(shape)));
    seen.add(JSON.stringify(shape));
    return shape.tasks * shape.accepts + shape.classes + shape.leases + (shape.supply === "part" ? 1 : 0);
  };
  const start: Shape = { tasks: 1, accepts: 1, classes: 1, leases: 1, supply: "all" };
  const { shape, tried } = await dearest([start], limits, cost);
  assert.deepEqual(shape, most);
  assert.equal(tried, seen.size);
});
