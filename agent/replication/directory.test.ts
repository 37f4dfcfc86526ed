import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { OperatorDirectory, type Producer } from "./directory.ts";

const lease = (id: number, fence: number, nodeId = 7) => ({ id, fence, nodeId }) as Partial<Lease> as Lease;

test("what the last look has shown costs no call; newer leases and fences are read, but rarely", async () => {
  let now = 0;
  const read: number[] = [];
  const onChain = new Map<number, Producer>([
    [1, { lease: lease(1, 2, 8), operator: "0xb" }],
    [9, { lease: lease(9, 1), operator: "0xa" }],
  ]);
  const directory = new OperatorDirectory(
    async (id) => {
      read.push(id);
      return onChain.get(id);
    },
    () => now,
  );
  directory.see([{ id: 7, operator: "0xa" }], (id) => (id === 1 ? lease(1, 1) : undefined));
  for (let n = 0; n < 100; n++) assert.equal((await directory.find(1, 1))?.operator, "0xa");
  assert.deepEqual(read, []);
  assert.equal((await directory.find(1, 2))?.operator, "0xb", "it has changed hands since");
  assert.equal((await directory.find(1, 2))?.operator, "0xb");
  for (let id = 2; id < 500; id++) assert.equal(await directory.find(id, 1), undefined);
  assert.deepEqual(read, [1], "one read, however many leases are made up");
  now = 2_000;
  assert.equal((await directory.find(9, 1))?.operator, "0xa");
  now = 4_000;
  assert.equal(await directory.find(0, 1), undefined, "no lease has this id");
  assert.equal(await directory.find(10, 1), undefined);
  assert.deepEqual(read, [1, 9, 10]);
});
