import assert from "node:assert/strict";
import { test } from "node:test";

import { stored } from "../database/columns.ts";
import { Changes } from "./changes.ts";
import { groupsOf, sizesOf } from "./writing.ts";

/** A task as the database has it. */
function storedTask(id: number): Record<string, unknown> {
  const row = new Changes().row("tasks", { id, owner: "0xa", status: "open", specDigest: "0x1" }, id);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value)]));
}

test("of indexed columns those that have changed are written, of the others all, and of new rows everything", () => {
  const changes = new Changes();
  for (const id of [1, 2, 3]) changes.put("tasks", storedTask(id));
  changes.row("tasks", {}, 1).paidUnits += 1;
  changes.row("tasks", {}, 2).paidUnits += 1;
  changes.row("tasks", {}, 3).status = "ended";
  changes.row("tasks", { id: 4 }, 4).owner = "0xb";
  const groups = groupsOf("tasks", changes.changed("tasks"), (row) => changes.before(row));
  assert.deepEqual(
    groups.map(({ rows }) => rows.map((row) => ("id" in row ? row.id : undefined))),
    [[1, 2], [3], [4]],
  );
  const indexed = groups.map(({ set }) => ["owner", "status", "specDigest"].filter((each) => set.includes(each)));
  assert.deepEqual(indexed, [[], ["status"], ["owner", "status", "specDigest"]]);
  for (const { set } of groups) {
    assert.ok(set.includes("paidUnits") && set.includes("block"));
    assert.ok(!set.includes("id"), "the key stays");
  }
});

test("rows are written in statements of few sizes", () => {
  assert.deepEqual(sizesOf(0), []);
  assert.deepEqual(sizesOf(150), [64, 64, 16, 4, 1, 1]);
  for (let rows = 0; rows < 300; rows++)
    assert.equal(
      sizesOf(rows).reduce((sum, size) => sum + size, 0),
      rows,
    );
});
