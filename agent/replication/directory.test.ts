import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { OperatorDirectory, type Producer } from "./directory.ts";

const lease = (id: number, fence: number, nodeId = 7) => ({ id, fence, nodeId }) as Partial<Lease> as Lease;

test("a lease is read once, and again under a newer fence; made-up ones cost a bounded number of reads", async () => {
  let now = 0;
  const read: number[] = [];
  const onChain = new Map<number, Producer>([
    [1, { lease: lease(1, 1, 7), operator: "0xa" }],
    [9, { lease: lease(9, 1), operator: "0xa" }],
  ]);
  const directory = new OperatorDirectory(
    async (id) => {
      read.push(id);
      return onChain.get(id);
    },
    () => now,
  );
  for (let n = 0; n < 100; n++) assert.equal((await directory.find(1, 1))?.operator, "0xa");
  assert.deepEqual(read, [1]);
  onChain.set(1, { lease: lease(1, 2, 8), operator: "0xb" });
  assert.equal((await directory.find(1, 2))?.operator, "0xb", "it has changed hands since");
  assert.equal((await directory.find(1, 2))?.operator, "0xb");
  assert.deepEqual(read, [1, 1]);
  for (let id = 100; id < 600; id++) assert.equal(await directory.find(id, 1), undefined);
  assert.equal(read.length, 32, "one burst, however many leases are made up");
  assert.equal((await directory.find(1, 2))?.operator, "0xb", "what is known costs nothing");
  now = 1_000;
  assert.equal((await directory.find(9, 1))?.operator, "0xa");
  assert.equal(await directory.find(0, 1), undefined, "no lease has this id");
  assert.equal(read.length, 33);
  onChain.set(9, { lease: lease(9, 1), operator: "0xc" });
  assert.equal((await directory.find(9, 1))?.operator, "0xa");
  directory.doubt(9);
  assert.equal((await directory.find(9, 1))?.operator, "0xc");
});
