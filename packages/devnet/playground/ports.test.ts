import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { holderOf, listenersOf } from "./port-holder.ts";
import { FIRST_PORT, isFree, portPlan, PORTS } from "./ports.ts";

test("no two parts share a port, and all are within the documented range", () => {
  const plan = portPlan(FIRST_PORT);
  const nodes = [0, 1, 2, 3].flatMap((place) => Object.values(plan.node(place)) as number[]);
  const { node: _, ...others } = plan;
  const all = [...Object.values(others), ...nodes];
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.every((port) => port >= FIRST_PORT && port < FIRST_PORT + PORTS));
  const { peers, checkpoints } = plan.node(1);
  assert.equal(checkpoints, peers + 1, "the store takes the port above");
  assert.throws(() => plan.node(99), /no ports for a node 99/);
});

test("a first port that leaves no room is refused with its bounds", () => {
  for (const first of [0, 80, 1023, 65_507, 70_000, 1.5, NaN]) {
    assert.throws(() => portPlan(first), /whole number from 1024 to 65506/, String(first));
  }
  assert.equal(portPlan(65_506).chain, 65_506);
});

test("listening sockets are told from others in the kernel's table", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:2161 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0",
    "   1: 0100007F:2161 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0",
    "   2: 0100007F:2162 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0",
  ].join("\n");
  assert.deepEqual(listenersOf(table, 0x2161), ["4242"]);
  assert.deepEqual(listenersOf(table, 80), []);
});

test("the process that holds a port is named", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    assert.equal(await isFree(port), false);
    assert.equal((await holderOf(port))?.pid, process.pid);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(await isFree(port), true);
});
