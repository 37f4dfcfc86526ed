import assert from "node:assert/strict";
import { test } from "node:test";

import { specHolders, taskHolders } from "./task-holders.ts";

test("all nodes of a small network are candidates, each once", () => {
  for (const nodes of [1, 2, 5, 9]) {
    const ids = taskHolders(7, nodes);
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      Array.from({ length: nodes }, (_, i) => i + 1),
    );
  }
  assert.deepEqual(taskHolders(7, 0), []);
});

test("a spec's holders follow from its digest alone", () => {
  const digest = `0x${"ab".repeat(32)}`;
  assert.deepEqual(specHolders(digest, 500), specHolders(digest.toUpperCase().replace("0X", "0x"), 500));
  assert.notDeepEqual(specHolders(digest, 500), specHolders(`0x${"ac".repeat(32)}`, 500));
  assert.equal(new Set(specHolders(digest, 500)).size, 16);
});

test("of a large network few change when another node registers, and tasks do not share theirs", () => {
  let changed = 0;
  const asked = new Map<number, number>();
  for (let task = 1; task <= 400; task++) {
    const before = taskHolders(task, 1_000);
    assert.equal(new Set(before).size, 16);
    const after = new Set(taskHolders(task, 1_001));
    changed += before.filter((id) => !after.has(id)).length;
    for (const id of before) asked.set(id, (asked.get(id) ?? 0) + 1);
  }
  assert.ok(changed <= 400 * 16 * 0.005, `${String(changed)} of 6,400 places changed`);
  assert.ok(Math.max(...asked.values()) < 25, "one node is asked far more often than the mean of 6.4");
});
