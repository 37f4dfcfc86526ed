import assert from "node:assert/strict";
import { test } from "node:test";

import { type AskFacts, askToOffer, firstAsk } from "./ask.ts";

const facts: AskFacts = {
  ...{ now: 10_000, prices: [12_000, 20_000, 11_000], floor: 5_050, ceiling: 15_000, tickSize: 100, below: 2, step: 3 },
};

test("an ask follows the median of the clearing prices, a little below, on a tick", () => {
  assert.equal(askToOffer(facts), 11_700);
  // One round that was cleared far above changes nothing.
  assert.equal(askToOffer({ ...facts, prices: [12_000, 900_000, 11_000] }), 11_700);
});

test("it stays between floor and ceiling, and is never rounded below the floor", () => {
  assert.equal(askToOffer({ ...facts, prices: [1] }), 5_100);
  assert.equal(askToOffer({ ...facts, prices: [99_999] }), 15_000);
  // What the chain has is outside: it comes back, however little is missing.
  assert.equal(askToOffer({ ...facts, now: 5_000, prices: [5_000] }), 5_100);
});

test("it stays as it is where no price is known, or the change is too small to be worth its gas", () => {
  assert.equal(askToOffer({ ...facts, prices: [] }), undefined);
  assert.equal(askToOffer({ ...facts, now: 11_500 }), undefined);
  assert.equal(askToOffer({ ...facts, now: 11_300 }), 11_700);
  assert.equal(askToOffer({ ...facts, now: 11_700 }), undefined);
});

test("until a price is known a node asks for its floor", () => {
  assert.equal(firstAsk("0.012"), "0.012");
  assert.equal(
    firstAsk({ follow: "clearing", floor: "0.01", ceiling: "0.02", below: 2, every: 21_600, step: 3 }),
    "0.01",
  );
});
