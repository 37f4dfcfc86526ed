import assert from "node:assert/strict";
import { test } from "node:test";

import { LEASE_STATUSES, numberOf, ROUND_STATUSES, enumName } from "./enums.ts";

test("numbers become words and back", () => {
  assert.equal(enumName(LEASE_STATUSES, 2n), "delivered");
  assert.equal(numberOf(LEASE_STATUSES, "delivered"), 2);
  assert.throws(() => enumName(ROUND_STATUSES, 5), /5 where one of none, seeding/);
});
