import assert from "node:assert/strict";
import { test } from "node:test";

import type { Node } from "./entities.ts";
import { nodeStates } from "./node-state.ts";

const node: Node = {
  id: 7,
  status: "active",
  classId: 2,
  askTick: 12,
  capacity: 8,
  leased: 3,
  undecided: 0,
  eligible: true,
  cooldownUntil: 0,
  withdrawableAt: 0,
  owner: "0x",
  operator: "0x",
  energySource: "grid",
  powerThreshold: 100,
  powerMax: 400,
  stake: 0n,
  endpoint: "",
};
const classes = [{ id: 2, name: "cpu/eu", tickSize: 1000 }];

test("a node's ask is its tick times the tick size of its class", () => {
  assert.deepEqual(nodeStates([node], classes, 100), [
    { id: 7, classId: 2, className: "cpu/eu", ask: 12_000, capacity: 8, leased: 3, hindrances: [] },
  ]);
});

test("what keeps it out of the market is named: draining, gone, cooling down until a time that is still to come", () => {
  const hindrances = (changes: Partial<Node>) => nodeStates([{ ...node, ...changes }], classes, 100)[0]?.hindrances;
  assert.deepEqual(hindrances({ status: "draining" }), [{ kind: "draining" }]);
  for (const status of ["unbonding", "withdrawn"] as const)
    assert.deepEqual(hindrances({ status }), [{ kind: "gone" }]);
  assert.deepEqual(hindrances({ cooldownUntil: 101 }), [{ kind: "coolingDown", until: 101 }]);
  assert.deepEqual(hindrances({ cooldownUntil: 100 }), []);
  assert.deepEqual(hindrances({ eligible: false }), [{ kind: "ineligible" }]);
  const [throttled] = nodeStates([{ ...node, eligible: false }], classes, 100, new Set([7]));
  assert.deepEqual(throttled?.hindrances, [{ kind: "throttled" }]);
});
