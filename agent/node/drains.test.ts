import assert from "node:assert/strict";
import { test } from "node:test";

import { Drains } from "./drains.ts";

const [active, draining] = [{ status: "active" }, { status: "draining" }] as const;

test("what a start finds is the agent's own drain; what comes while it runs is the owner's", () => {
  const drains = new Drains();
  assert.equal(drains.isOwners(draining), false);
  assert.equal(drains.isOwners(active), false);
  assert.equal(drains.isOwners(draining), true);
  assert.equal(drains.isOwners(draining), true);
  assert.equal(drains.isOwners(active), false);
});

test("its own drain stays its own, also where an endpoint lags behind", () => {
  const drains = new Drains();
  drains.isOwners(active);
  drains.begin();
  assert.equal(drains.isOwners(active), false);
  assert.equal(drains.isOwners(draining), false);
  assert.equal(drains.isOwners(draining), false);
  drains.isOwners(active);
  assert.equal(drains.isOwners(draining), true);
});

test("one that never went through does not make the owner's look like the agent's for ever", () => {
  const drains = new Drains();
  drains.isOwners(active, 0);
  drains.begin(0);
  assert.equal(drains.isOwners(active, 60_000), false);
  assert.equal(drains.isOwners(active, 600_001), false);
  assert.equal(drains.isOwners(draining, 600_002), true);
});
