import assert from "node:assert/strict";
import { test } from "node:test";

import { Outages } from "./outages.ts";

test("an agent that nothing hit was in order all the while", () => {
  assert.equal(new Outages().wasInOrderSince(0, 0), true);
});

test("one that is hit is not, nor was it until its fault is over; others are", () => {
  const outages = new Outages();
  outages.begin(1, 100);
  assert.equal(outages.isInOrder(1), false);
  assert.equal(outages.wasInOrderSince(1, 200), false);
  assert.equal(outages.wasInOrderSince(2, 0), true);
  outages.end(1, 150);
  assert.equal(outages.isInOrder(1), true);
  assert.equal(outages.wasInOrderSince(1, 150), false);
  assert.equal(outages.wasInOrderSince(1, 151), true);
});

test("an agent that is hit again was in order only since the end of the last fault", () => {
  const outages = new Outages();
  outages.begin(1, 100);
  outages.end(1, 150);
  outages.begin(1, 300);
  outages.end(1, 310);
  assert.equal(outages.wasInOrderSince(1, 200), false);
  assert.equal(outages.wasInOrderSince(1, 311), true);
});
