import assert from "node:assert/strict";
import { test } from "node:test";

import { pickPrevious } from "./previous.ts";

test("the version before is the oldest in a row with today's contracts and another code", () => {
  const now = { commit: "d", contracts: "1", code: "b" };
  const old = { commit: "b", contracts: "1", code: "a" };
  const first = { commit: "a", contracts: "1", code: "a" };
  assert.equal(pickPrevious([now, { ...now, commit: "c" }, old, first]), "a");
  // Other contracts lie in between: agents of that version cannot read these.
  assert.equal(pickPrevious([now, old, { ...first, contracts: "0" }, first]), "b");
  assert.equal(pickPrevious([now, { ...now, commit: "c" }]), undefined);
  assert.equal(pickPrevious([now]), undefined);
});
