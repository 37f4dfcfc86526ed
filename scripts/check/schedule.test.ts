import assert from "node:assert/strict";
import { test } from "node:test";

import { laneOf, notRun, type State, type Step, toStart } from "./schedule.ts";

const step = (name: string, load: number, needs?: string): Step => ({
  name,
  command: [name],
  load,
  ...(needs !== undefined && { needs }),
});
const STEPS = [
  step("compile", 1),
  step("demo", 0.5, "compile"),
  step("docs", 0.5, "compile"),
  step("energy", 0.5, "compile"),
  step("unit", 1, "compile"),
  step("format", 1),
];
const state = (running: string[], ended: Record<string, boolean> = {}): State => ({
  running: new Set(running),
  ended: new Map(Object.entries(ended)),
});
const names = (steps: Step[]) => steps.map(({ name }) => name);

test("what needs nothing starts first, as much as the cores carry", () => {
  assert.deepEqual(names(toStart(STEPS, state([]), 2)), ["compile", "format"]);
  assert.deepEqual(names(toStart(STEPS, state([]), 1)), ["compile"]);
  assert.deepEqual(names(toStart(STEPS, state(["compile"]), 2)), ["format"]);
});

test("what waits stands beside what computes", () => {
  const after = state([], { compile: true, format: true });
  assert.deepEqual(names(toStart(STEPS, after, 2)), ["demo", "docs", "energy"]);
  assert.deepEqual(names(toStart(STEPS, after, 4)), ["demo", "docs", "energy", "unit"]);
  assert.deepEqual(names(toStart(STEPS, state(["demo", "docs", "energy"], { compile: true }), 2)), []);
  assert.deepEqual(
    names(toStart(STEPS, state(["energy"], { compile: true, format: true, demo: true, docs: true }), 2)),
    ["unit"],
  );
});

test("what waits stands side by side up to what the cores carry, and no further", () => {
  const waiting = ["a", "b", "c", "d", "e"].map((name) => step(name, 0.6));
  assert.deepEqual(names(toStart(waiting, state([]), 2)), ["a", "b", "c"]);
});

test("a step that is larger than the machine runs alone", () => {
  assert.deepEqual(names(toStart([step("huge", 3), step("small", 0.1)], state([]), 2)), ["huge"]);
});

test("steps that hold the same never run at once", () => {
  const steps = ["docs", "devnet"].map((name): Step => ({ ...step(name, 0.1), holds: "a folder" }));
  assert.deepEqual(names(toStart(steps, state([]), 2)), ["docs"]);
  assert.deepEqual(names(toStart(steps, state(["docs"]), 2)), []);
  assert.deepEqual(names(toStart(steps, state([], { docs: false }), 2)), ["devnet"]);
});

test("without the build, what needs it does not run", () => {
  const failed = state([], { compile: false, format: true });
  assert.deepEqual(toStart(STEPS, failed, 2), []);
  assert.deepEqual(names(notRun(STEPS, failed.ended)), ["demo", "docs", "energy", "unit"]);
});

test("lanes are told apart by the share of time that a step computes", () => {
  assert.deepEqual(
    [1, 0.9, 0.5].map((load) => laneOf(step("any", load))),
    ["computing", "computing", "waiting"],
  );
});
