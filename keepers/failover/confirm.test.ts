import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { RpcUnavailableError } from "@verai/client/errors";
import { type ConfirmationReader, askConfirmation } from "./confirm.ts";

const block = { number: 7, hash: "0x", timestamp: 200 };
const lease = { id: 3, status: "active", due: 100 } as Partial<Lease> as Lease;
const sees = (seen: Lease, count = 3, changes: Partial<ConfirmationReader> = {}) => {
  const look: ConfirmationReader = {
    block: () => Promise.resolve(block),
    leaseCount: () => Promise.resolve(count),
    leasesById: () => Promise.resolve([seen]),
    ...changes,
  };
  return () => Promise.resolve(look);
};
const overdue = (_: ConfirmationReader, { due }: Lease, at: typeof block) => at.timestamp > due;

test("agrees only where it sees the lease active and overdue itself", async () => {
  assert.deepEqual(await askConfirmation(sees(lease), 3, overdue), { kind: "agrees" });
  assert.deepEqual(await askConfirmation(sees({ ...lease, due: 230 }), 3, overdue), {
    kind: "disagrees",
    why: "at its block 7 the lease is in time until 230",
  });
  assert.equal((await askConfirmation(sees({ ...lease, status: "delivered" }), 3, overdue)).kind, "disagrees");
});

test("an endpoint that fails or lags says nothing", async () => {
  const failure = () => Promise.reject(new RpcUnavailableError("connection", "it gave no answer"));
  const down = sees(lease, 3, { block: failure });
  assert.deepEqual(await askConfirmation(down, 3, overdue), { kind: "silent", why: "it gave no answer" });
  assert.deepEqual(await askConfirmation(failure, 3, overdue), { kind: "silent", why: "it gave no answer" });
  assert.equal((await askConfirmation(sees(lease, 2), 3, overdue)).kind, "silent");
});

test("an error of our own is no opinion", async () => {
  const broken = sees(lease, 3, { leasesById: () => Promise.reject(new TypeError("bug")) });
  await assert.rejects(askConfirmation(broken, 3, overdue), TypeError);
});
