import assert from "node:assert/strict";
import { test } from "node:test";

import type { Conditions } from "./conditions.ts";
import { type MadeDraw, type MadeMove, refuteDraw, refuteMove, refuteReport } from "./decisions.ts";

const cold: Conditions = { load: 0.03, latency: 0, watts: 40 };
const hot: Conditions = { load: 0.9, latency: 0, watts: 40 };
const hungry: Conditions = { load: 0.03, latency: 0, watts: 190 };
/** Agent 0 is hot in rows 0 to 5, agent 1 from then on; agent 2 is hungry first. */
const conditions = Array.from({ length: 12 }, (_, step) =>
  step < 6 ? [hot, cold, hungry, cold, cold] : [cold, hot, cold, cold, cold],
);

const move: MadeMove = { row: 4, from: 0, units: 1, cause: "load", fromSince: 0 };
const draw: MadeDraw = { row: 4, to: 3, units: 1, cause: "load", toSince: 0 };

test("moves that follow from the seed stand", () => {
  assert.equal(refuteMove(move, conditions, 0.12), undefined);
  assert.equal(refuteMove({ ...move, from: 2, cause: "power" }, conditions, 0.12), undefined);
  // Agent 0's last report is of the phase before.
  assert.equal(refuteMove({ ...move, row: 7, fromSince: 4 }, conditions, 0.12), undefined);
});

for (const [what, change, says] of [
  ["from a cold agent", { from: 3 }, /leaves agent 3 for its load, but since the start it was not to give/],
  ["from an agent whose report shows that it has cooled down", { row: 9, fromSince: 6 }, /since step 5 it was not/],
  [
    "for power, from an agent that draws little",
    { from: 0, cause: "power" },
    /agent 0 for its power, but since the start it/,
  ],
  ["from an agent that nobody knows", { from: -1 }, /agent -1 for its load/],
] as const) {
  test(`a move ${what} is refuted`, () => {
    assert.match(refuteMove({ ...move, ...change }, conditions, 0.12) ?? "", says);
  });
}

test("draws for what moves follow from the seed", () => {
  assert.equal(refuteDraw(draw, conditions, 0.12), undefined);
  assert.equal(refuteDraw({ ...draw, cause: "power" }, conditions, 0.12), undefined);
  assert.match(refuteDraw({ ...draw, to: 0 }, conditions, 0.12) ?? "", /agent 0 is drawn .* it was not to take any/);
  assert.match(refuteDraw({ ...draw, to: 0, cause: "power" }, conditions, 0.12) ?? "", /agent 0 is drawn/);
  // It was hot until step 5, and is cold from then on.
  assert.equal(refuteDraw({ ...draw, to: 0, row: 8, toSince: 5 }, conditions, 0.12), undefined);
});

test("reports show what the seed says of the steps that they cover, and nothing else", () => {
  const report = { agent: 0, since: -2, row: 3, load: 0.9, watts: 41 };
  assert.equal(refuteReport(report, conditions), undefined);
  assert.equal(refuteReport({ ...report, load: 0.4, since: 3, row: 8 }, conditions), undefined);
  assert.match(refuteReport({ ...report, load: 0.4 }, conditions) ?? "", /reports a load of 40\.0 %, and was given 90/);
  assert.match(refuteReport({ ...report, watts: 90 }, conditions) ?? "", /reports 90 W, and was given 40 W at most/);
});
