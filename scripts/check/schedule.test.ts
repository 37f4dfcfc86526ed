import assert from "node:assert/strict";
import { test } from "node:test";

import { laneOf, notRun, type State, type Step, toStart } from "./schedule.ts";

const step = (name: string, load: number, needs?: string): Step => ({
  name,
  command: [name],
  load,
  ...(needs !== undefined && { needs }),
});
const fills = (name: string, needs?: string): Step => ({ ...step(name, 1, needs), fills: true });
const STEPS = [
  step("compile", 1),
  step("demo", 0.6, "compile"),
  step("docs", 0.6, "compile"),
  step("energy", 0.6, "compile"),
  step("survival", 0.6, "compile"),
  fills("format"),
  fills("sol"),
  fills("unit", "compile"),
];
const state = (running: string[], ended: Record<string, boolean> = {}): State => ({
  running: new Set(running),
  ended: new Map(Object.entries(ended)),
});
const names = (steps: Step[]) => steps.map(({ name }) => name);

test("what needs nothing starts first, as much as the cores carry", () => {
  assert.deepEqual(names(toStart(STEPS, state([]), 2)), ["compile", "format", "sol"]);
  assert.deepEqual(names(toStart(STEPS, state([]), 1)), ["compile", "format"]);
  assert.deepEqual(names(toStart(STEPS, state(["compile", "format"]), 2)), ["sol"]);
});

test("what waits stands side by side up to what the cores carry, and no further", () => {
  const after = { compile: true, format: true, sol: true, unit: true };
  assert.deepEqual(names(toStart(STEPS, state([], after), 2)), ["demo", "docs", "energy"]);
  assert.deepEqual(names(toStart(STEPS, state([], after), 4)), ["demo", "docs", "energy", "survival"]);
  assert.deepEqual(names(toStart(STEPS, state(["demo", "docs", "energy"], after), 2)), []);
  assert.deepEqual(names(toStart(STEPS, state(["demo", "docs"], { ...after, energy: true }), 2)), ["survival"]);
});

test("what fills keeps nothing that waits from starting, and has as many cores for itself", () => {
  const after = { compile: true, format: true };
  assert.deepEqual(names(toStart(STEPS, state(["sol"], after), 2)), ["demo", "docs", "energy", "unit"]);
  assert.deepEqual(names(toStart(STEPS, state(["sol", "unit"], after), 2)), ["demo", "docs", "energy"]);
  assert.deepEqual(names(toStart(STEPS, state(["demo", "docs", "energy"], after), 2)), ["sol", "unit"]);
});

test("a step that is larger than the machine has its lane to itself", () => {
  const huge = step("huge", 3);
  assert.deepEqual(names(toStart([huge, step("small", 0.1), fills("format")], state([]), 2)), ["huge", "format"]);
  assert.deepEqual(names(toStart([step("small", 0.1), huge], state([]), 2)), ["small"]);
});

test("steps that hold the same never run at once", () => {
  const steps = ["docs", "devnet"].map((name): Step => ({ ...step(name, 0.1), holds: "a folder" }));
  assert.deepEqual(names(toStart(steps, state([]), 2)), ["docs"]);
  assert.deepEqual(names(toStart(steps, state(["docs"]), 2)), []);
  assert.deepEqual(names(toStart(steps, state([], { docs: false }), 2)), ["devnet"]);
});

test("without the build, what needs it does not run", () => {
  const failed = state([], { compile: false, format: true, sol: true });
  assert.deepEqual(toStart(STEPS, failed, 2), []);
  assert.deepEqual(names(notRun(STEPS, failed.ended)), ["demo", "docs", "energy", "survival", "unit"]);
});

test("a step that does not say that it fills is one that others wait for", () => {
  assert.deepEqual([step("docs", 1), fills("format")].map(laneOf), ["waiting", "filling"]);
});
