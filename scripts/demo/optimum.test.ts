import assert from "node:assert/strict";
import { test } from "node:test";

import { parseUnits } from "ethers";

import { NODES, TASKS } from "@verai/devnet/participants";
import { jointOptimum } from "./optimum.ts";

test("the demo's joint optimum serves all 15 units for 0.170 VER", () => {
  // By hand: B takes all seven of cpu/us but one (4 x 0.008 + 2 x 0.012) and one at 0.020; A takes cpu/eu
  // (4 x 0.010 + 3 x 0.014) and the last of cpu/us at 0.012 + 0.003.
  const optimum = jointOptimum(NODES, TASKS);
  assert.equal(optimum.served, 15);
  assert.equal(optimum.paid, parseUnits("0.170", 18));
  assert.equal(optimum.objective, parseUnits("0.173", 18));
});

test("serving one task after the other, each as cheaply as it can, is dearer or serves less", () => {
  const free = new Map(NODES.map((node) => [node.name, node.capacity]));
  let paid = 0n;
  let served = 0;
  for (const task of TASKS) {
    const options = NODES.filter((node) => node.class in task.classes)
      .map((node) => ({ node, cost: parseUnits(node.ask, 18) + parseUnits(task.classes[node.class] ?? "0", 18) }))
      .sort((a, b) => (a.cost < b.cost ? -1 : 1));
    let left = task.units;
    for (const { node, cost } of options) {
      if (cost > parseUnits(task.maxPrice, 18)) continue;
      const units = Math.min(left, free.get(node.name) ?? 0);
      free.set(node.name, (free.get(node.name) ?? 0) - units);
      paid += BigInt(units) * parseUnits(node.ask, 18);
      served += units;
      left -= units;
    }
  }
  assert.ok(served < 15 || paid > parseUnits("0.170", 18), `${String(served)} units for ${String(paid)} wei`);
});

test("a unit that is not worth its price gives way to one that is", () => {
  const node = { ...NODES[0], capacity: 1 } as (typeof NODES)[number];
  const cheap = { ...TASKS[0], units: 1, maxPrice: "0.012", classes: { "cpu/eu": "0" } } as (typeof TASKS)[number];
  const dear = { ...cheap, maxPrice: "0.030" };
  const optimum = jointOptimum([node], [cheap, dear]);
  assert.equal(optimum.served, 1);
  assert.equal(optimum.objective, parseUnits("0.022", 18));
});
