import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { RpcUnavailable } from "@verai/client/errors";
import { type SecondLook, secondOpinion } from "./confirm.ts";

const pin = { number: 7, hash: "0x", timestamp: 200 };
const lease = { id: 3, status: "active", due: 100 } as Partial<Lease> as Lease;
const sees = (seen: Lease, count = 3, changes: Partial<SecondLook> = {}) => {
  const look: SecondLook = {
    pin: () => Promise.resolve(pin),
    leaseCount: () => Promise.resolve(count),
    leasesById: () => Promise.resolve([seen]),
    ...changes,
  };
  return () => Promise.resolve(look);
};
const overdue = (_: SecondLook, { due }: Lease, at: typeof pin) => at.timestamp > due;

test("agrees only where it sees the lease active and overdue itself", async () => {
  assert.deepEqual(await secondOpinion(sees(lease), 3, overdue), { kind: "agrees" });
  assert.deepEqual(await secondOpinion(sees({ ...lease, due: 230 }), 3, overdue), {
    kind: "disagrees",
    why: "at its block 7 the lease is in time until 230",
  });
  assert.equal((await secondOpinion(sees({ ...lease, status: "delivered" }), 3, overdue)).kind, "disagrees");
});

test("an endpoint that fails or lags says nothing", async () => {
  const failure = () => Promise.reject(new RpcUnavailable("connection", "it gave no answer"));
  const down = sees(lease, 3, { pin: failure });
  assert.deepEqual(await secondOpinion(down, 3, overdue), { kind: "silent", why: "it gave no answer" });
  assert.deepEqual(await secondOpinion(failure, 3, overdue), { kind: "silent", why: "it gave no answer" });
  assert.equal((await secondOpinion(sees(lease, 2), 3, overdue)).kind, "silent");
});

test("an error of our own is no opinion", async () => {
  const broken = sees(lease, 3, { leasesById: () => Promise.reject(new TypeError("bug")) });
  await assert.rejects(secondOpinion(broken, 3, overdue), TypeError);
});
