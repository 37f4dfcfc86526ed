import assert from "node:assert/strict";
import { test } from "node:test";

import { auditedFee, paidAuditChance } from "./audit-fee.ts";
import { MAX_AUDIT_CHANCE } from "./units.ts";

test("audits that a task asks for cost one and a half times their chance, and at least the usual fee", () => {
  assert.equal(auditedFee(200, 0), 200);
  assert.equal(auditedFee(200, 133), 200);
  assert.equal(auditedFee(200, 134), 201);
  assert.equal(auditedFee(200, 5_000), 7_500);
});

test("what the usual fee pays for costs nothing more at any fee, and one basis point more would", () => {
  assert.equal(paidAuditChance(200), 133);
  for (let fee = 0; fee <= 7_500; fee++) {
    const chance = paidAuditChance(fee);
    assert.equal(auditedFee(fee, chance), fee, `a fee of ${String(fee)}`);
    if (chance < MAX_AUDIT_CHANCE) assert.ok(auditedFee(fee, chance + 1) > fee, `a fee of ${String(fee)}`);
  }
});
