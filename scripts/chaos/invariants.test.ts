import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lease, Node, Task } from "@verai/client/entities";
import { type ChainState, expired, expiredInOrder, violations } from "./invariants.ts";

const task = { id: 1, units: 4, openUnits: 0, leasedUnits: 2, paidUnits: 2, refundedUnits: 0 } as Partial<Task> as Task;
const lease = (id: number, start: number, count: number, changes: Partial<Lease> = {}): Lease =>
  ({ id, taskId: 1, nodeId: 1, start, count, fence: 1, parent: 0, status: "active", ...changes }) as Lease;
const node = { id: 1, leased: 2, undecided: 0, capacity: 4 } as Partial<Node> as Node;
const state: ChainState = {
  block: 9,
  tasks: [task],
  nodes: [node],
  leases: [
    lease(1, 0, 2, { status: "paid" }),
    lease(2, 2, 2, { status: "expired" }),
    lease(3, 2, 2, { parent: 2, fence: 2 }),
  ],
  checkpoints: new Map([[3, { codec: 0x70, digest: "0x", progress: 10, size: 1, at: 1, sequence: 1, startedAt: 0 }]]),
  supply: 1_000n,
  balance: 100n,
  totals: { escrow: 40n, stake: 30n, claimable: 20n, bountyPool: 10n },
  sums: { escrow: 40n, stake: 30n, claimable: 20n },
};

test("a sound state has no violations, nor has one that came out of itself", () => {
  assert.deepEqual(violations(state, undefined), []);
  assert.deepEqual(violations(state, state), []);
});

for (const [what, change, says] of [
  ["a wei is missing", { balance: 99n }, /the vault holds 99 wei, its totals say 100/],
  ["an account is off", { sums: { ...state.sums, stake: 29n } }, /accounts of stake add up to 29/],
  ["units are lost", { tasks: [{ ...task, paidUnits: 1 }] }, /accounts for 3 of its 4/],
  ["a unit is held twice", { leases: [...state.leases, lease(4, 3, 1)] }, /unit 3 of task 1 is held by leases 3 and 4/],
  [
    "a fence does not grow",
    { leases: [...state.leases.slice(0, 2), lease(3, 2, 2, { parent: 2 })] },
    /fence 1, not above 1 of lease 2/,
  ],
  [
    "a lease lives on beside its successor",
    { leases: [state.leases[0], lease(2, 2, 2), state.leases[2]] as Lease[] },
    /comes after lease 2, which is active/,
  ],
  ["a node is overbooked", { nodes: [{ ...node, capacity: 1 }] }, /holds 2 units of 1/],
  ["a node's count is off", { nodes: [{ ...node, leased: 3 }] }, /holds 2 units, it counts 3/],
] as const) {
  test(`tells that ${what}`, () => {
    assert.match(violations({ ...state, ...change }, undefined).join("\n"), says);
  });
}

const moving: ChainState = {
  ...state,
  leases: [...state.leases.slice(0, 2), lease(3, 2, 2, { parent: 2, fence: 2, status: "moving" })],
  departures: new Map([[3, 1]]),
};

test("a move's units count at their node until they are handed over, and then wait for a taker", () => {
  assert.deepEqual(violations(moving, undefined), []);
  const rest = lease(4, 2, 1, { parent: 3, fence: 3 });
  const over: ChainState = {
    ...moving,
    nodes: [{ ...node, leased: 1 }],
    leases: [...moving.leases.slice(0, 2), lease(3, 2, 2, { parent: 2, fence: 2, status: "released" }), rest],
    departures: new Map(),
    checkpoints: new Map(),
  };
  assert.deepEqual(violations(over, undefined), []);
  const drawn: ChainState = {
    ...over,
    nodes: [
      { ...node, leased: 1 },
      { ...node, id: 2, leased: 1 },
    ],
    leases: [...over.leases, lease(5, 3, 1, { parent: 3, fence: 3, nodeId: 2 })],
  };
  assert.deepEqual(violations(drawn, undefined), []);
});

for (const [what, change, says] of [
  ["a move moves nothing", { departures: new Map() }, /lease 3 moves 0 of 2 units/],
  ["a move takes more than there is", { departures: new Map([[3, 3]]) }, /lease 3 moves 3 of 2 units/],
] as const) {
  test(`of a move, tells that ${what}`, () => {
    assert.match(violations({ ...moving, ...change }, undefined).join("\n"), says);
  });
}

test("tells what existed before and no longer does", () => {
  assert.deepEqual(violations({ ...state, checkpoints: new Map(), supply: 999n }, state), [
    "the supply went from 1000 to 999",
    "the newest checkpoint of lease 3 went back",
  ]);
});

test("tells which leases expired, where none may", () => {
  const { leases } = state;
  assert.deepEqual(expired({ leases }), ["lease 2 of node 1 expired, though no fault outlasts the grace"]);
  assert.deepEqual(expired({ leases: leases.filter(({ id }) => id !== 2) }), []);
});

test("a lease that expired is held against its node where nothing had hit that, once", () => {
  const before = { leases: [lease(1, 0, 2), lease(2, 2, 2, { nodeId: 2 })] };
  const after = { leases: before.leases.map((each) => ({ ...each, status: "expired" as const })) };
  const found = expiredInOrder(after, before, (nodeId) => nodeId === 2);
  assert.deepEqual(found, ["lease 2 expired, though nothing had hit its node 2"]);
  assert.deepEqual(
    expiredInOrder(after, undefined, (nodeId) => nodeId === 2),
    found,
  );
  assert.deepEqual(
    expiredInOrder(after, after, () => true),
    [],
  );
});
