import assert from "node:assert/strict";
import { test } from "node:test";

import { type WaitingView, whyWaiting } from "./waiting.ts";

const view: WaitingView = {
  status: "open",
  openUnits: 3,
  leasedUnits: 0,
  inRound: false,
  place: 0,
  maxPrice: 5_000,
  classes: [{ classId: 1, surcharge: 1_000 }],
  supply: [{ id: 1, name: "cpu/eu", tickSize: 1_000, nodes: [{ id: 7, tick: 4, units: 2, position: 0 }] }],
  now: 1_000,
  deadline: 9_000,
  minLeaseTime: 60,
  intakePaused: false,
  round: "settled",
  roundMaxTasks: 16,
};

test("a task that could be served joins the next round", () => {
  assert.match(whyWaiting(view) ?? "", /joins the next round/);
});

test("a task without open units does not wait", () => {
  assert.equal(whyWaiting({ ...view, openUnits: 0 }), undefined);
});

test("a price that is too low is named with what is missing, surcharge included", () => {
  assert.match(whyWaiting({ ...view, maxPrice: 4_500 }) ?? "", /cpu\/eu\) needs 0\.0005 VER more/);
});

test("classes without free units are named", () => {
  const supply = [{ id: 1, name: "cpu/eu", tickSize: 1_000, nodes: [] }];
  assert.match(whyWaiting({ ...view, supply }) ?? "", /no node of its classes \(cpu\/eu\)/);
});

test("deadline, round, pause and place in the queue are told apart", () => {
  assert.match(whyWaiting({ ...view, deadline: 1_059 }) ?? "", /deadline is too near/);
  assert.match(whyWaiting({ ...view, inRound: true, round: "seeding" }) ?? "", /waits for its seed/);
  assert.match(whyWaiting({ ...view, inRound: true, round: "settling" }) ?? "", /about to settle/);
  assert.match(whyWaiting({ ...view, intakePaused: true }) ?? "", /paused/);
  assert.match(whyWaiting({ ...view, place: 16 }) ?? "", /16 tasks stand before it/);
});
