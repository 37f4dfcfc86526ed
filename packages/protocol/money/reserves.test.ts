import assert from "node:assert/strict";
import { test } from "node:test";

import { BOUNTIES_AHEAD, judgeBountyPool, judgeSubscription, LOW_SUBSCRIPTION } from "./reserves.ts";

test("a subscription is judged by what it pays with", () => {
  const of = (native: bigint, link: bigint, paysNative = true) => judgeSubscription({ native, link, paysNative });
  assert.equal(of(LOW_SUBSCRIPTION, 0n), "covered");
  assert.equal(of(LOW_SUBSCRIPTION - 1n, 10n ** 30n), "low");
  assert.equal(of(0n, 10n ** 30n), "empty");
  assert.equal(of(10n ** 30n, 0n, false), "empty");
  assert.equal(of(0n, 1n, false), "covered");
});

test("a bounty pool is covered for rounds ahead, low below them, and empty where it cannot pay one", () => {
  const bounty = 3n;
  assert.equal(judgeBountyPool(bounty * BOUNTIES_AHEAD, bounty), "covered");
  assert.equal(judgeBountyPool(bounty * BOUNTIES_AHEAD - 1n, bounty), "low");
  assert.equal(judgeBountyPool(bounty, bounty), "low");
  assert.equal(judgeBountyPool(bounty - 1n, bounty), "empty");
  assert.equal(judgeBountyPool(0n, 0n), "covered", "a network without bounties needs none");
});
