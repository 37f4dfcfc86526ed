import assert from "node:assert/strict";
import { test } from "node:test";

import type { EnergyMeter } from "../power/meter.ts";
import { Sampler } from "./sampler.ts";
import { WorkloadCpu } from "./workloads.ts";

function work(id: number, count: number) {
  return { lease: { id, count }, cpuSeconds: 0, unitsRunning: count };
}

test("energy goes to the leases that ran, also to those that were begun again or have ended since", () => {
  const works = new Map([[1, work(1, 2)]]);
  const workloads = new WorkloadCpu(works);
  const first = works.get(1)!;
  first.cpuSeconds = 4;
  assert.deepEqual(workloads.leases(), [{ leaseId: 1, units: 2, unitsRunning: 2, cpuSeconds: 4 }]);
  // Stopped and begun again: a new work, whose clock starts at 0.
  first.cpuSeconds = 5;
  const again = work(1, 2);
  works.set(1, again);
  again.cpuSeconds = 3;
  assert.equal(workloads.leases()[0]?.cpuSeconds, 8);
  // Over, and let go of.
  again.cpuSeconds = 6;
  again.unitsRunning = 0;
  works.delete(1);
  assert.deepEqual(workloads.leases(), [{ leaseId: 1, units: 2, unitsRunning: 0, cpuSeconds: 11 }]);
  assert.deepEqual(workloads.leases(), []);
  assert.ok(workloads.totalSeconds() > 11);
});

test("what runs again for an audit is the node's own use, and no lease's", () => {
  const other = { unitsRunning: 1, cpuSeconds: () => 1000 };
  const workloads = new WorkloadCpu(new Map([[1, work(1, 2)]]), other);
  assert.equal(workloads.unitsRunning, 3);
  assert.ok(workloads.totalSeconds() > 1000);
  assert.deepEqual(workloads.leases(), [{ leaseId: 1, units: 2, unitsRunning: 2, cpuSeconds: 0 }]);
});

test("a cgroup that vanishes and comes back counts once, and looking at what runs takes nothing away", () => {
  const one = work(1, 2);
  const workloads = new WorkloadCpu(new Map([[1, one]]));
  for (const seconds of [100, 0, Number.NaN, 100, 110]) {
    one.cpuSeconds = seconds;
    assert.equal(workloads.unitsRunning, 2);
    assert.equal(workloads.leases()[0]?.cpuSeconds, Math.max(100, seconds || 0));
  }
});

test("a sample holds what happened since the one before, and a meter that fails loses nothing", async () => {
  const works = new Map([
    [1, work(1, 1)],
    [2, work(2, 3)],
  ]);
  const workloads = new WorkloadCpu(works);
  let [now, joules, busy, away, broken, again] = [0, 0, 0, false, false, 0];
  const meter: EnergyMeter = {
    method: "rapl",
    source: "test",
    read: () => {
      if (broken) return Promise.reject(new Error("locked"));
      const reading = { joules, method: "rapl" as const, source: "test" };
      joules = 0;
      return Promise.resolve(reading);
    },
  };
  const sampler = new Sampler({
    meter,
    usage: () => ({ load: 0.25, busySeconds: busy, seconds: 40 }),
    leases: () => workloads.leases(),
    auditSeconds: () => again,
    harvesting: () => away,
    renewable: 0.5,
    now: () => now,
  });
  [now, joules, busy] = [10_000, 1000, 10];
  works.get(1)!.cpuSeconds = 2;
  works.get(2)!.cpuSeconds = 6;
  assert.deepEqual(await sampler.next(), {
    seconds: 10,
    load: 0.25,
    joules: 1000,
    renewableJoules: 500,
    method: "rapl",
    idleUnitSeconds: 0,
    auditJoules: 0,
    leases: [
      { leaseId: 1, joules: 200 },
      { leaseId: 2, joules: 600 },
    ],
  });
  [now, joules, busy, broken] = [20_000, 400, 4, true];
  await assert.rejects(sampler.next(), /locked/);
  [now, busy, broken, away] = [30_000, 6, false, true];
  works.get(1)!.cpuSeconds = 7;
  const sample = await sampler.next();
  assert.equal(sample.seconds, 20);
  assert.equal(sample.idleUnitSeconds, 4 * 20);
  assert.deepEqual(sample.leases, [
    { leaseId: 1, joules: 200 },
    { leaseId: 2, joules: 0 },
  ]);
  // A segment that is run again bears its own part, also where only what the node itself uses is known.
  [now, joules, busy, again] = [40_000, 900, 9, 6];
  works.get(1)!.cpuSeconds = 10;
  const beside = await sampler.next();
  assert.equal(beside.auditJoules, 600);
  assert.deepEqual(beside.leases, [
    { leaseId: 1, joules: 300 },
    { leaseId: 2, joules: 0 },
  ]);
});
