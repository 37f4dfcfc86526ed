import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { EnergyCounter } from "./counter.ts";

const RANGE = 262_143_328_850;
const kind = { perJoule: 1e6, maxWatts: 400, range: RANGE };

for (const [what, from, to, expected] of [
  ["a gain", 5e6, 25e6, 20],
  ["a turn", RANGE - 5e6, 2e6, 7],
  ["a slip of one step", 30e6, 30e6 - 1, 0],
  ["a restart after a suspend", 30e6, 1e6, 1],
  ["a leap beyond the maximum power", 0, 5e9, undefined],
  ["a restart to more than was counted since", 200e9, 90e9, undefined],
  ["no movement at all", 7e6, 7e6, undefined],
] as const) {
  test(`${what} is told from the others`, () => {
    const step = new EnergyCounter(kind, from, 0).next(to, 5_000);
    if (expected === undefined) assert.ok(step.doubt !== undefined && step.joules === 0);
    else assert.deepEqual(step, { joules: expected });
  });
}

test("a slip is made up for by what comes after it, and one false reading is passed over", () => {
  const counter = new EnergyCounter(kind, 30e6, 0);
  const joules = [29.5e6, 40e6, 0, 60e6].map((value, i) => counter.next(value, (i + 1) * 5_000).joules);
  assert.deepEqual(joules, [0, 10, 0, 20]);
});

test("what a stuck counter jumps by belongs to a time that was estimated", () => {
  const counter = new EnergyCounter(kind, 10e6, 0);
  assert.match(counter.next(10e6, 5_000).doubt ?? "", /has not moved for 5 s/);
  assert.match(counter.next(900e6, 10_000).doubt ?? "", /moves again/);
  assert.deepEqual(counter.next(905e6, 15_000), { joules: 5 });
});

test("whatever a counter shows, no more is believed than the maximum power can have used", () => {
  const reading = fc.record({ value: fc.integer({ min: 0, max: RANGE }), ms: fc.integer({ min: 0, max: 1_000_000 }) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: RANGE }), fc.array(reading, { maxLength: 20 }), (start, readings) => {
      const counter = new EnergyCounter(kind, start, 0);
      let at = 0;
      for (const { value, ms } of readings) {
        at += ms;
        const { joules } = counter.next(value, at);
        assert.ok(joules >= 0 && joules <= 400 * (ms / 1000 + 1) + 1e-6, `${String(joules)} J in ${String(ms)} ms`);
      }
    }),
    seeded(500),
  );
});

test("a counter that follows a real machine loses nothing, over turns and at any pace", () => {
  const step = fc.record({ watts: fc.integer({ min: 1, max: 400 }), ms: fc.integer({ min: 10, max: 600_000 }) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: RANGE }), fc.array(step, { minLength: 1, maxLength: 30 }), (start, steps) => {
      const counter = new EnergyCounter(kind, start, 0);
      let [at, value] = [0, start];
      for (const { watts, ms } of steps) {
        at += ms;
        const gained = watts * ms * 1_000;
        value = (value + gained) % (RANGE + 1);
        const { joules, doubt } = counter.next(value, at);
        assert.equal(doubt, undefined);
        assert.ok(Math.abs(joules - gained / 1e6) < 1e-5, `${String(joules)} J for ${String(gained / 1e6)} J`);
      }
    }),
    seeded(300),
  );
});
