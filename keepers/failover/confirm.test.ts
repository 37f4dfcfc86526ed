import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { RpcUnavailableError } from "@verai/client/errors";
import { type ConfirmationReader, askConfirmation } from "./confirm.ts";

const block = { number: 7, hash: "0x", timestamp: 200 };
const lease = { id: 3, status: "active", due: 100 } as Partial<Lease> as Lease;
const sees = (seen: readonly Lease[], count = 9, changes: Partial<ConfirmationReader> = {}) => {
  const look: ConfirmationReader = {
    block: () => Promise.resolve(block),
    leaseCount: () => Promise.resolve(count),
    leasesById: (_, ids) => Promise.resolve(seen.filter(({ id }) => ids.includes(id))),
    ...changes,
  };
  return () => Promise.resolve(look);
};
const overdue = (_: ConfirmationReader, leases: readonly Lease[], at: typeof block) =>
  Promise.resolve(new Set(leases.filter(({ due }) => at.timestamp > due).map(({ id }) => id)));

test("agrees only to those that it sees active and overdue itself", async () => {
  const seen = [lease, { ...lease, id: 4, due: 230 }, { ...lease, id: 5, status: "delivered" as const }];
  const answers = await askConfirmation(sees(seen, 5), [3, 4, 5, 6], overdue);
  assert.deepEqual(Object.fromEntries(answers), {
    3: { kind: "agrees" },
    4: { kind: "disagrees", why: "at its block 7 the lease is in time until 230" },
    5: { kind: "disagrees", why: "it sees the lease delivered" },
    6: { kind: "silent", why: "its block 7 is older than the lease" },
  });
});

test("an endpoint that fails says nothing, of any of them", async () => {
  const failure = () => Promise.reject(new RpcUnavailableError("connection", "it gave no answer"));
  const silent = { kind: "silent", why: "it gave no answer" };
  for (const open of [sees([lease], 9, { block: failure }), failure]) {
    assert.deepEqual(Object.fromEntries(await askConfirmation(open, [3, 4], overdue)), { 3: silent, 4: silent });
  }
});

test("an error of our own is no opinion", async () => {
  const broken = sees([lease], 9, { leasesById: () => Promise.reject(new TypeError("bug")) });
  await assert.rejects(askConfirmation(broken, [3], overdue), TypeError);
});
