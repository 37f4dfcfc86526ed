import assert from "node:assert/strict";
import { test } from "node:test";

import type { Node } from "@verai/client/entities";
import { freeUnits, planNode } from "./registration.ts";

const node: Node = {
  id: 1,
  status: "active",
  classId: 0,
  askTick: 10,
  capacity: 4,
  leased: 1,
  undecided: 0,
  listing: { classId: 0, tick: 10, units: 3, position: 0 },
  cooldownUntil: 0,
  withdrawableAt: 0,
  owner: "0x01",
  operator: "0x02",
  energySource: "grid",
  powerThreshold: 100,
  powerMax: 400,
  eligible: true,
  stake: 400n,
  endpoint: "/ip4/127.0.0.1/tcp/4001/p2p/x",
};
const wanted = { endpoint: node.endpoint };

test("a node that is as it should be needs nothing", () => {
  assert.deepEqual(planNode(node, wanted, freeUnits(node, 100n), 1_000, false), []);
});

test("a stake that was slashed covers fewer units, and never less than none", () => {
  assert.equal(freeUnits({ ...node, stake: 399n }, 100n), 2);
  assert.equal(freeUnits({ ...node, stake: 50n }, 100n), 0);
});

test("the stake backs what was delivered until that is decided", () => {
  assert.equal(freeUnits({ ...node, undecided: 2 }, 100n), 1);
  assert.equal(freeUnits({ ...node, undecided: 2, stake: 600n }, 100n), 3);
  assert.equal(freeUnits({ ...node, undecided: 9 }, 100n), 0);
});

test("after a restart the endpoint is set and the node resumed", () => {
  const kinds = planNode({ ...node, status: "draining", endpoint: "" }, wanted, 3, 1_000, false).map((s) => s.kind);
  assert.deepEqual(kinds, ["setEndpoint", "resume"]);
});

test("what the owner drains is left so", () => {
  assert.deepEqual(planNode({ ...node, status: "draining" }, { ...wanted, drained: true }, 3, 1_000, false), []);
});

test("a listing that is behind is synced once the cooldown is over and no round is open", () => {
  const { listing: _, ...unlisted } = node;
  const cooled = { ...unlisted, cooldownUntil: 900 };
  assert.deepEqual(
    planNode(cooled, wanted, 3, 1_000, false).map((s) => s.kind),
    ["sync"],
  );
  assert.deepEqual(planNode(cooled, wanted, 3, 899, false), []);
  assert.deepEqual(planNode(cooled, wanted, 3, 1_000, true), []);
  // While its reports keep it out of new work, it would be in vain.
  assert.deepEqual(planNode({ ...cooled, eligible: false }, wanted, 3, 1_000, false), []);
});

test("a machine that is unfit leaves the market, says why, and comes back once it is fit", () => {
  const ineligible = { ...wanted, ineligible: "the disk is full" };
  assert.deepEqual(planNode(node, ineligible, 3, 1_000, false), [{ kind: "drain", why: "the disk is full" }]);
  assert.deepEqual(planNode({ ...node, status: "draining" }, ineligible, 3, 1_000, false), []);
  const kinds = planNode({ ...node, status: "draining" }, wanted, 3, 1_000, false).map((s) => s.kind);
  assert.deepEqual(kinds, ["resume"]);
});
