import assert from "node:assert/strict";
import { test } from "node:test";

import type { ReportState, Task } from "@verai/client/entities";
import {
  type BalancingView,
  type BalancingViewLease,
  type BalancingViewNode,
  planBalancing,
} from "./balancing-plan.ts";

const node = (
  id: number,
  load: number,
  about: Partial<BalancingViewNode> = {},
  reportState: Partial<ReportState> = {},
) => ({
  id,
  owner: `owner ${id}`,
  classId: 1,
  capacity: 10,
  eligible: true,
  ask: 1_000,
  listing: { classId: 1, tick: 1, units: 6, position: 0 },
  outgoing: 0,
  incoming: 0,
  ...about,
  reportState: {
    nodeId: id,
    sequence: 3,
    at: 990,
    load,
    latency: 5,
    watts: 100,
    previousWatts: 100,
    prepaid: 0,
    fee: 0,
    throttled: false,
    counted: true,
    renewable: false,
    ...reportState,
  },
});
const lease = (
  id: number,
  nodeId: number,
  count: number,
  about: Partial<BalancingViewLease> = {},
): BalancingViewLease => ({
  id,
  nodeId,
  taskId: 1,
  count,
  price: 1_000,
  status: "active",
  due: 1_100,
  coolingUntil: 0,
  seenAt: 900,
  ...about,
});
const task = { id: 1, maxPrice: 2_000n * 10n ** 12n, deadline: 2_000, classes: [{ classId: 1, surcharge: 0n }] };
const view = (
  nodes: BalancingViewNode[],
  leases: BalancingViewLease[],
  about: Partial<BalancingView> = {},
): BalancingView => ({
  now: 1_000,
  load: nodes.reduce((sum, { reportState }) => sum + reportState.load, 0),
  counted: nodes.length,
  band: 1_000,
  loadFloor: 0,
  reportTimeout: 60,
  minLeaseTime: 100,
  frozen: false,
  nodes,
  leases,
  tasks: new Map([[1, task as unknown as Task]]),
  joules: new Map([
    [1, 30_000],
    [2, 10_000],
    [3, 31_000],
  ]),
  ...about,
});
const moves = (...args: Parameters<typeof view>) =>
  planBalancing(view(...args), { hysteresis: 0, most: 16 }).moves.map(({ leaseId, to, units, cause }) => [
    leaseId,
    to,
    units,
    cause,
  ]);

const hot = node(1, 7_000);
const cold = node(2, 3_000);
const mid = node(3, 5_000);

test("a hot node is relieved by a cold one", () => {
  assert.deepEqual(moves([hot, cold, mid], [lease(4, 1, 2)]), [[4, 2, 2, "load"]]);
  assert.match(
    planBalancing(view([hot, cold, mid], []), { hysteresis: 0, most: 16 }).why,
    /nothing to move: the average load is 50\.0 %/,
  );
});

test("nothing moves that the chain would refuse", () => {
  const none = (nodes: BalancingViewNode[], leases: BalancingViewLease[], about: Partial<BalancingView> = {}) => {
    assert.deepEqual(moves(nodes, leases, about), []);
  };
  none([hot, cold, mid], [lease(4, 1, 2)], { frozen: true });
  none([hot, cold, mid], [lease(4, 1, 2)], { counted: 0 });
  none([hot, cold, mid], [lease(4, 1, 2, { coolingUntil: 1_001 })]);
  none([hot, cold, mid], [lease(4, 1, 2, { status: "moving" })]);
  // Too late to be worth it, too dear, another class, silent, on its way already, not fit, not listed.
  none([hot, cold, mid], [lease(4, 1, 2)], { now: 1_901 });
  none([hot, node(2, 3_000, { ask: 2_001 }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { owner: hot.owner }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { listing: { ...cold.listing, classId: 2 } }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, {}, { at: 939 }), mid], [lease(4, 1, 2)]);
  none([node(1, 7_000, {}, { at: 939 }), cold, mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { incoming: 1 }), mid], [lease(4, 1, 2)]);
  none([node(1, 7_000, { outgoing: 1 }), cold, mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, { eligible: false }), mid], [lease(4, 1, 2)]);
  none([hot, node(2, 3_000, {}, { counted: false }), mid], [lease(4, 1, 2)]);
  // What came after the last report does not show in it.
  none([hot, cold, mid], [lease(4, 1, 2, { seenAt: 990 })]);
});

test("nothing moves that nobody could be drawn for: a taker asks no more than the lease is paid, or than the market", () => {
  const dear = node(2, 3_000, { ask: 1_500 });
  const of = (price: number, ...others: BalancingViewNode[]) =>
    moves([hot, dear, ...others], [lease(4, 1, 2, { price })]);
  // The hot node's own free units are no market.
  assert.deepEqual(of(1_000, node(3, 5_000, { ask: 1_800 })), [[4, 2, 2, "load"]]);
  assert.deepEqual(of(1_500, mid), [[4, 2, 2, "load"]]);
  // Node 3 lists six units for less.
  assert.deepEqual(of(1_000, mid), []);
  assert.deepEqual(of(1_000, node(3, 5_000, { listing: { ...mid.listing, units: 1 } })), [[4, 2, 2, "load"]]);
});

test("a throttled node's work goes to the most efficient classes, within the band, before any is balanced", () => {
  const both = [
    { classId: 1, surcharge: 0n },
    { classId: 2, surcharge: 0n },
    { classId: 3, surcharge: 0n },
  ];
  const throttled = node(1, 5_000, { listing: undefined as never, eligible: false }, { throttled: true });
  const inClass = (id: number, load: number, classId: number) =>
    node(id, load, { classId, listing: { ...cold.listing, classId } });
  const nodes = [
    throttled,
    // What a node says of its own power decides nothing.
    node(2, 4_000, {}, { watts: 1 }),
    inClass(3, 5_000, 2),
    inClass(4, 6_000, 2),
    inClass(5, 3_000, 3),
  ];
  const tasks = new Map([[1, { ...task, classes: both } as unknown as Task]]);
  // Nodes 3 and 4 are near the edge of the band, node 2 has room for one unit; node 5 is of a less efficient class than the
  // throttled one.
  assert.deepEqual(moves(nodes, [lease(8, 1, 1), lease(9, 1, 1)], { tasks }), [[8, 2, 1, "power"]]);
  assert.deepEqual(moves([throttled, inClass(3, 4_000, 2), node(2, 4_000)], [lease(8, 1, 1)], { tasks }), [
    [8, 3, 1, "power"],
  ]);
});

test("moves whose grace is over are handed over, whatever else is the matter", () => {
  const moving = [lease(4, 1, 2, { status: "moving", due: 999 }), lease(5, 1, 2, { status: "moving", due: 1_000 })];
  assert.deepEqual(
    planBalancing(view([hot, cold, mid], moving, { frozen: true }), { hysteresis: 0, most: 16 }).handOvers,
    [4],
  );
});
