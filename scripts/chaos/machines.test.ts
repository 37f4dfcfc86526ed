import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { MachineMeter } from "@verai/agent/power/machine";
import { readCpuTimes, UsageTrack } from "@verai/agent/power/usage";
import { Machines } from "./machines.ts";
import { advance, counterOf, RAPL_RANGE_UJ, statOf } from "./machines-worker.ts";

test("meters show the load and the power that they are told, and wrap around as real ones do", () => {
  const meters = { busy: 0, idle: 0, joules: 0 };
  advance(meters, { load: 0.25, watts: 180 }, 10);
  assert.deepEqual(statOf(meters).split("\n").slice(0, 2), [
    "cpu  1000 0 0 3000 0 0 0 0 0 0",
    "cpu0 250 0 0 750 0 0 0 0 0 0",
  ]);
  assert.equal(counterOf(meters), 1_800_000_000);
  assert.equal(counterOf({ joules: (RAPL_RANGE_UJ + 1) / 1e6 + 5 }), 5_000_000);
});

test("an agent's meters read what the schedule says", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "drmp-machines-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const machines = await Machines.start(directory, 2);
  context.after(() => machines.stop());
  const { telemetry, power } = machines.configuration(1) as {
    telemetry: { procfs: string };
    power: { powercap: string };
  };
  machines.set([
    { load: 0, latency: 0, watts: 1 },
    { load: 0.75, latency: 0, watts: 180 },
  ]);
  // Until the meters run.
  for (let i = 0; i < 100 && readCpuTimes(telemetry.procfs)?.total === 0; i++) await delay(20);
  const usage = UsageTrack.machine(telemetry.procfs);
  const options = { kind: "cpu", cpus: 4, slice: false, nvidiaSmi: "", cpuLoad: () => 0, gpuLoad: () => 0 };
  const meter = await MachineMeter.open({ ...options, powercap: power.powercap });
  await delay(700);
  const { load, seconds } = usage.next();
  assert.ok(Math.abs(load - 0.75) < 0.02, String(load));
  const { joules, method } = await meter.read();
  assert.equal(method, "rapl");
  // Four threads' worth of seconds; the two meters are read one after the other.
  assert.ok(Math.abs(joules / (seconds / 4) - 180) < 90, `${String(joules)} J in ${String(seconds / 4)} s`);
  assert.equal(machines.failure, undefined);
});
