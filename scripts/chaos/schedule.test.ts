import assert from "node:assert/strict";
import { test } from "node:test";

import { planFaults } from "./schedule.ts";

test("the same seed gives the same faults, another one others", () => {
  assert.deepEqual(planFaults(7, 40, 5), planFaults(7, 40, 5));
  assert.notDeepEqual(planFaults(7, 40, 5), planFaults(8, 40, 5));
});

test("a longer run begins as a shorter one", () => {
  const long = planFaults(3, 60, 5);
  assert.deepEqual(
    long.filter(({ step }) => step < 20),
    planFaults(3, 20, 5),
  );
});

test("never more than two agents out of order, never the same thing twice at once, all kinds come up", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const faults = planFaults(seed, 60, 5);
    for (const { kind } of faults) kinds.add(kind);
    for (let step = 0; step < 60; step++) {
      const lasting = faults.filter((fault) => fault.step <= step && fault.step + fault.lasts > step);
      const agents = lasting.flatMap(({ agent }) => (agent === undefined ? [] : [agent]));
      assert.ok(agents.length <= 2, `seed ${String(seed)}, step ${String(step)}`);
      assert.equal(new Set(agents).size, agents.length);
      const keepers = lasting.flatMap(({ keeper }) => (keeper === undefined ? [] : [keeper]));
      assert.equal(new Set(keepers).size, keepers.length);
      assert.ok(lasting.filter(({ kind }) => kind.endsWith("oracle")).length <= 1);
    }
  }
  assert.equal(kinds.size, 11);
});
