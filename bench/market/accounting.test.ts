import assert from "node:assert/strict";
import { test } from "node:test";

import { type Account, bestOf, judge, type Outcome, profitOf } from "./accounting.ts";
import { GRAIN, SURPLUS } from "./economy.ts";

const GAS_PRICE = 1e-6;
const account = (ver: number): Account => ({ ver, gas: 0, compute: 0, value: 0 });

/** Outcomes of four worlds, with what the player and all others end with, and a little chance. */
function outcomes(player: number, others: number, { served = 10, delay = 1 } = {}): Outcome[] {
  return [0.01, -0.01, 0.02, -0.02].map((chance, seed) => ({
    seed,
    player: account(player + chance),
    twin: account(1),
    others: account(others - chance),
    served,
    delay,
    delivered: 40,
    wanted: 50,
    transactions: 100,
    pool: 0,
  }));
}

const references = { honest: outcomes(10, 50), absent: outcomes(4, 48, { served: 0 }) };

test("profit is what was gained and got, less what computing and gas took", () => {
  assert.equal(profitOf({ ver: 5, gas: 2_000_000, compute: 1.5, value: 3 }, GAS_PRICE), 4.5);
});

test("who gains more than chance and one unit's margin earns more than honest work", () => {
  const won = judge(outcomes(10 + GRAIN + 0.1, 50), references, GAS_PRICE);
  assert.ok(won.earnsMore && won.gain > won.tolerance);
  assert.ok(!judge(outcomes(10 + GRAIN - 0.1, 50), references, GAS_PRICE).earnsMore);
});

test("who loses less than others do by it spoils the market", () => {
  const won = judge(outcomes(8, 50 - 2 - SURPLUS - 0.2), references, GAS_PRICE);
  assert.ok(won.spoils && !won.earnsMore);
  assert.ok(Math.abs(won.harm.cost - 2) < 1e-9);
  assert.ok(!judge(outcomes(8, 50 - 2 - SURPLUS + 0.2), references, GAS_PRICE).spoils);
});

test("a griefer that never meant to work is held against staying away", () => {
  // Against honest work it does without 6; against staying away it loses nothing, and others lose 3.
  const { spoils, harm } = judge(outcomes(4, 45, { served: 0 }), references, GAS_PRICE);
  assert.ok(spoils);
  assert.ok(Math.abs(harm.cost) < 1e-9 && Math.abs(harm.harm - 3) < 1e-9);
});

test("who works half as much is held against half of honest work", () => {
  // Half way between the two, the player has 7 and the others 49.
  const { harm } = judge(outcomes(6, 45, { served: 5 }), references, GAS_PRICE);
  assert.equal(harm.share, 0.5);
  assert.ok(Math.abs(harm.cost - 1) < 1e-9 && Math.abs(harm.harm - 4) < 1e-9);
});

test("who takes from others what it gains itself does not spoil more than it gains", () => {
  assert.ok(!judge(outcomes(10.5, 49.5), references, GAS_PRICE).spoils);
});

test("what differs from world to world as much as it gains is chance", () => {
  const wild = outcomes(10, 50).map((each, i) => ({ ...each, player: account(i % 2 === 0 ? 4 : 18) }));
  const { earnsMore, gain } = judge(wild, references, GAS_PRICE);
  assert.ok(gain > GRAIN && !earnsMore);
});

test("one world says nothing of chance", () => {
  const one = (play: readonly Outcome[]) => play.slice(0, 1);
  const verdict = judge(one(outcomes(99, 0)), { honest: one(references.honest), absent: one(references.absent) }, 0);
  assert.ok(!verdict.earnsMore && !verdict.spoils);
  // Others lose 50, and what the player gains, 89, is no mere transfer beyond that.
  assert.ok(Math.abs(verdict.harm.harm - 50) < 0.1 && Math.abs(verdict.harm.cost + 89) < 0.1);
});

test("the best honest play is the one of most profit on average", () => {
  assert.equal(bestOf([outcomes(3, 1), outcomes(5, 1), outcomes(4, 1)], GAS_PRICE)[0]?.player.ver, 5.01);
});

test("plays of different worlds are not compared", () => {
  const other = references.honest.map((each) => ({ ...each, seed: each.seed + 1 }));
  assert.throws(() => judge(outcomes(1, 1), { ...references, honest: other }, GAS_PRICE), /was not played by both/);
});

test("late and missing units are told", () => {
  const { delay, undelivered } = judge(outcomes(1, 1, { delay: 1.5 }), references, GAS_PRICE);
  assert.ok(Math.abs(delay - 0.5) < 1e-9);
  assert.ok(Math.abs(undelivered - 20) < 1e-9);
});
