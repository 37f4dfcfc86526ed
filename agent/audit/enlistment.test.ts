import assert from "node:assert/strict";
import { test } from "node:test";

import { planEnlistment } from "./enlistment.ts";

const active = { status: "active", classId: 2 };

test("a node verifies for its class while it is active and its owner wants it", () => {
  const [off, on] = [
    { classId: 0, enlistedAt: 0 },
    { classId: 2, enlistedAt: 9 },
  ];
  assert.equal(planEnlistment(off, active, true), true);
  assert.equal(planEnlistment(on, active, true), undefined);
  assert.equal(planEnlistment({ ...on, classId: 1 }, active, true), true);
  assert.equal(planEnlistment(on, active, false), false);
  assert.equal(planEnlistment(off, active, false), undefined);
  assert.equal(planEnlistment(on, { ...active, status: "draining" }, true), false);
  assert.equal(planEnlistment(off, { ...active, status: "draining" }, true), undefined);
});
