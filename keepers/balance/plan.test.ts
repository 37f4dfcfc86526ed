import assert from "node:assert/strict";
import { test } from "node:test";

import type { NodeStanding, Task } from "@verai/client/entities";
import { type BalanceView, type BalanceViewLease, type BalanceViewNode, planBalance } from "./plan.ts";

const node = (
  id: number,
  load: number,
  about: Partial<BalanceViewNode> = {},
  standing: Partial<NodeStanding> = {},
) => ({
  id,
  capacity: 10,
  fit: true,
  ask: 1_000,
  listing: { classId: 1, tick: 1, units: 6, position: 0 },
  outgoing: 0,
  incoming: 0,
  ...about,
  standing: {
    nodeId: id,
    sequence: 3,
    at: 990,
    load,
    latency: 5,
    watts: 100,
    previousWatts: 100,
    unitPower: 20_000,
    lag: 0,
    throttled: false,
    counted: true,
    renewable: false,
    ...standing,
  },
});
const lease = (id: number, nodeId: number, count: number, about: Partial<BalanceViewLease> = {}): BalanceViewLease => ({
  id,
  nodeId,
  taskId: 1,
  count,
  status: "active",
  due: 1_100,
  coolingUntil: 0,
  seenAt: 900,
  ...about,
});
const task = { id: 1, maxPrice: 2_000n * 10n ** 12n, deadline: 2_000, classes: [{ classId: 1, surcharge: 0n }] };
const view = (nodes: BalanceViewNode[], leases: BalanceViewLease[], about: Partial<BalanceView> = {}): BalanceView => ({
  now: 1_000,
  load: nodes.reduce((sum, { standing }) => sum + standing.load, 0),
  counted: nodes.length,
  band: 1_000,
  reportTimeout: 60,
  minLeaseTime: 100,
  frozen: false,
  nodes,
  leases,
  tasks: new Map([[1, task as unknown as Task]]),
  ...about,
});
const moves = (...args: Parameters<typeof view>) =>
  planBalance(view(...args), 0, 16).moves.map(({ leaseId, to, units, cause }) => [leaseId, to, units, cause]);

const hot = node(1, 7_000);
const cold = node(2, 3_000);
const mid = node(3, 5_000);

test("a hot node is relieved by a cold one", () => {
  assert.deepEqual(moves([hot, cold, mid], [lease(4, 1, 2)]), [[4, 2, 2, "load"]]);
  assert.match(planBalance(view([hot, cold, mid], []), 0, 16).why, /nothing to move: the average load is 50\.0 %/);
});

test("nothing moves that the chain would refuse", () => {
  const none = (nodes: BalanceViewNode[], leases: BalanceViewLease[], about: Partial<BalanceView> = {}) => {
    assert.deepEqual(moves(nodes, leases, about), []);
  };
  none([hot, cold, mid], [lease(4, 1, 2)], { frozen: true });
  none([hot, cold, mid], [lease(4, 1, 2)], { counted: 0 });
  none([hot, cold, mid], [lease(4, 1, 2, { coolingUntil: 1_001 })]);
  none([hot, cold, mid], [lease(4, 1, 2, { status: "moving" })]);
  // Too late to be worth it, too dear, another class, silent, on its way already, not fit, not listed.
  none([hot, cold, mid], [lease(4, 1, 2)], { now: 1_901 });
  none([hot, node(2, 3_000, { ask: 2_001 }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { listing: { ...cold.listing, classId: 2 } }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, {}, { at: 939 }), mid], [lease(4, 1, 2)]);
  none([node(1, 7_000, {}, { at: 939 }), cold, mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { incoming: 1 }), mid], [lease(4, 1, 2)]);
  none([node(1, 7_000, { outgoing: 1 }), cold, mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { fit: false }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, {}, { counted: false }), mid], [lease(4, 1, 2)]);
  // What came after the last report does not show in it.
  none([hot, cold, mid], [lease(4, 1, 2, { seenAt: 990 })]);
});

test("a throttled node's work goes to the most efficient nodes, within the band, before any is balanced", () => {
  const throttled = node(1, 5_000, { listing: undefined as never, fit: false }, { throttled: true, unitPower: 30_000 });
  const nodes = [
    throttled,
    node(2, 4_000, {}, { unitPower: 25_000 }),
    node(3, 5_000, {}, { unitPower: 15_000 }),
    node(4, 6_000, {}, { unitPower: 5_000 }),
    node(5, 5_000, {}, { unitPower: 31_000 }),
  ];
  // Node 4 is the most efficient, but at the edge of the band; node 5 is less efficient than the throttled one.
  assert.deepEqual(moves(nodes, [lease(8, 1, 1), lease(9, 1, 2)]), [
    [9, 2, 2, "power"],
    [8, 3, 1, "power"],
  ]);
});

test("moves whose grace is over are handed over, whatever else is the matter", () => {
  const moving = [lease(4, 1, 2, { status: "moving", due: 999 }), lease(5, 1, 2, { status: "moving", due: 1_000 })];
  assert.deepEqual(planBalance(view([hot, cold, mid], moving, { frozen: true }), 0, 16).handOvers, [4]);
});
