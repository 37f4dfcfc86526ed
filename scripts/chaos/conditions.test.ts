import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { ROOT } from "@verai/devnet/processes";
import { boundsOf, PHASE_STEPS, planConditions, POWER, recordOf, rolesOf } from "./conditions.ts";
import { planFaults } from "./schedule.ts";

const AGENTS = 5;
const MARGIN = 0.12;
const record = (seed: number, steps: number) =>
  recordOf(planFaults(seed, steps, AGENTS), planConditions(seed, steps, AGENTS), MARGIN);

test("the same seed gives the same record, another one another; a longer run begins as a shorter one", () => {
  assert.deepEqual(record(918_273, 24), record(918_273, 24));
  assert.notDeepEqual(record(918_273, 24), record(918_274, 24));
  assert.deepEqual(record(918_273, 60).slice(0, 24), record(918_273, 24));
});

test("two processes with the same seed print the same record", async () => {
  const plan = async () => {
    const args = ["scripts/chaos.ts", "--seed", "918273", "--steps", "24", "--plan"];
    return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout;
  };
  const [first, second] = await Promise.all([plan(), plan()]);
  assert.equal(first, second);
  assert.deepEqual(first.trimEnd().split("\n"), record(918_273, 24));
});

test("in every phase of every seed the roles are plain: no load is near the band, no power near the threshold", () => {
  for (let seed = 0; seed < 300; seed++) {
    for (const conditions of planConditions(seed, 4 * PHASE_STEPS, AGENTS)) {
      const { give, take, throttled } = rolesOf(conditions, MARGIN);
      assert.deepEqual([give.length, take.length, throttled.length], [1, AGENTS - 1, 1], `seed ${String(seed)}`);
      for (const near of [-0.02, 0.02]) assert.deepEqual(rolesOf(conditions, MARGIN + near), { give, take, throttled });
      for (const { watts, latency } of conditions) {
        assert.ok(Math.abs(watts - POWER.threshold) >= 30 && watts < POWER.max && latency < 100);
      }
    }
  }
});

test("a report that covers a change of phase may show anything between the two", () => {
  const [cold, hot] = [
    { load: 0.1, latency: 0, watts: 50 },
    { load: 0.9, latency: 0, watts: 190 },
  ];
  const all = [[cold], [cold], [hot], [hot]];
  assert.deepEqual(boundsOf(all, 0, -5, 1), { load: [0.1, 0.1], watts: [50, 50] });
  assert.deepEqual(boundsOf(all, 0, 1, 2), { load: [0.1, 0.9], watts: [50, 190] });
  assert.deepEqual(boundsOf(all, 0, 3, 99), { load: [0.9, 0.9], watts: [190, 190] });
});
