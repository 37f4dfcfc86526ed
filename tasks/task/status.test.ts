import assert from "node:assert/strict";
import { test } from "node:test";

import type { LeaseStatus } from "@verai/client/enums";
import { heldUntil } from "./status.ts";

const WEEK = 604_800;
const lease = (status: LeaseStatus, deliveredAt?: number) => ({
  status,
  ...(deliveredAt !== undefined && { result: { codec: 0x55, digest: "0x", size: 1, deliveredAt, bond: 0 } }),
});

test("results are to be fetched before the first of them goes", () => {
  const leases = [lease("paid", 1_000), lease("delivered", 500), lease("active"), lease("rejected", 1)];
  assert.equal(heldUntil(leases, 2_000), 500 + WEEK);
  assert.equal(heldUntil(leases, 600 + WEEK), 1_000 + WEEK);
  assert.equal(heldUntil(leases, 1_000 + WEEK), undefined);
  assert.equal(heldUntil([lease("active")], 1), undefined);
});
