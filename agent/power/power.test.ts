import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import fc from "fast-check";

import { seeded } from "@verai/protocol/allocation/testing/rounds";
import { attribute } from "./attribution.ts";
import { EstimatedMeter } from "./estimate.ts";
import { MachineMeter, type MachineOptions } from "./machine.ts";
import { estimatePower, powerRange } from "./table.ts";
import { readCpuTimes, UsageTrack } from "./usage.ts";

const nothing: MachineOptions = {
  kind: "cpu",
  cpus: 2,
  gpus: 1,
  slice: false,
  powercap: "/nonexistent",
  nvidiaSmi: "/nonexistent",
  cpuLoad: () => 1,
  gpuLoad: () => 1,
};

test("the model gives idle power at rest, maximum power at full load, and never falls in between", () => {
  const range = { idle: 10, max: 110 };
  assert.equal(estimatePower(range, 0), 10);
  assert.equal(estimatePower(range, 1), 110);
  // 75 % of the thermal design power at half load, as Teads measured: 0.63 of 0.9 of the way.
  assert.ok(Math.abs(estimatePower(range, 0.5) - 80) < 1e-9);
  assert.equal(estimatePower(range, -1), 10);
  assert.equal(estimatePower(range, 7), 110);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, (a, b) => (a - b) * (estimatePower(range, a) - estimatePower(range, b)) >= 0),
    seeded(300),
  );
});

test("an estimate is energy over the time that passed", async () => {
  let now = 0;
  let load = 0;
  const meter = new EstimatedMeter(
    "1 thread",
    { idle: 10, max: 110 },
    () => load,
    () => now,
  );
  now = 60_000;
  assert.equal((await meter.read()).joules, 600);
  load = 1;
  now = 61_000;
  assert.equal((await meter.read()).joules, 110);
});

test("on this machine the fallback runs, says that it is an estimate, and knows the processors", async (context) => {
  const usage = UsageTrack.machine();
  let load = 0;
  const threads = readCpuTimes()?.threads ?? 0;
  const meter = await MachineMeter.open({
    ...nothing,
    cpus: threads,
    powercap: "/sys/class/powercap",
    onLocked: () => undefined,
    nvidiaSmi: "nvidia-smi",
    cpuLoad: () => load,
  });
  if (meter.method !== "estimated") {
    context.skip(`this machine has a meter: ${meter.source}`);
    return;
  }
  const started = performance.now();
  // Something to do, so that there is a load to be seen.
  while (performance.now() - started < 150) Math.sqrt(started);
  const used = usage.next();
  assert.ok(used.load > 0 && used.load <= 1, `load ${used.load}`);
  load = used.load;
  const reading = await meter.read();
  const seconds = (performance.now() - started) / 1000;
  const { idle, max } = powerRange("cpu") ?? { idle: 0, max: 0 };
  assert.ok(reading.joules > idle * threads * 0.1 && reading.joules <= max * threads * (seconds + 1));
  assert.match(reading.source, /^estimate for \d+ hardware threads/);
});

test("the whole is measured only if every part is", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-machine-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "intel-rapl:0"));
  await writeFile(join(root, "intel-rapl:0", "name"), "package-0");
  await writeFile(join(root, "intel-rapl:0", "energy_uj"), "0");
  await writeFile(join(root, "intel-rapl:0", "max_energy_range_uj"), "1000000");
  const tool = join(root, "nvidia-smi");
  await writeFile(tool, '#!/bin/sh\ncase "$1" in *=power.draw) echo 50;; *) exit 2;; esac\n', { mode: 0o755 });
  const method = async (changes: Partial<MachineOptions>) => {
    const meter = await MachineMeter.open({ ...nothing, ...changes });
    meter.close();
    return meter.method;
  };
  assert.equal(await method({ powercap: root }), "rapl");
  assert.equal(await method({ powercap: root, kind: "gpu-24g", nvidiaSmi: tool }), "nvml");
  assert.equal(await method({ powercap: root, kind: "gpu-24g" }), "estimated");
  assert.equal(await method({ kind: "gpu-24g", nvidiaSmi: tool }), "estimated");
  // A package meter tells of the whole machine, not of the slice of it that the node is.
  assert.equal(await method({ powercap: root, slice: true }), "estimated");
  assert.equal(await method({ powercap: "" }), "estimated");
});

test("locked counters are an error where they were asked for, and estimated with a word where they were not", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-machine-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  // Root reads whatever the mode is, so the counter is made unreadable in another way.
  await mkdir(join(root, "intel-rapl:0", "energy_uj"), { recursive: true });
  await writeFile(join(root, "intel-rapl:0", "name"), "package-0");
  await writeFile(join(root, "intel-rapl:0", "max_energy_range_uj"), "1000000");
  await assert.rejects(MachineMeter.open({ ...nothing, powercap: root }), /energy_uj cannot be read/);
  const problems: string[] = [];
  const onLocked = (problem: Error) => problems.push(problem.message);
  const meter = await MachineMeter.open({ ...nothing, powercap: root, onLocked });
  assert.equal(meter.method, "estimated");
  assert.match(problems.join(), /energy_uj cannot be read/);
});

test("a meter that fails is estimated, said once, and measured again when it works", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-machine-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const zone = join(root, "intel-rapl:0");
  await mkdir(zone);
  await writeFile(join(zone, "name"), "package-0");
  await writeFile(join(zone, "max_energy_range_uj"), "262143328850");
  const count = (joules: number) => writeFile(join(zone, "energy_uj"), String(joules * 1e6));
  await count(100);
  const events: string[] = [];
  let now = 0;
  const meter = await MachineMeter.open({
    ...nothing,
    powercap: root,
    watts: { idle: 10, max: 10 },
    onEvent: ({ kind }) => events.push(kind),
    now: () => now,
  });
  const after5s = async (change: Promise<void>) => {
    await change;
    now += 5_000;
    const { method, joules } = await meter.read();
    return [method, joules];
  };
  assert.deepEqual(await after5s(count(130)), ["rapl", 30]);
  assert.deepEqual(await after5s(rm(join(zone, "energy_uj"))), ["estimated", 50]);
  assert.deepEqual(await after5s(Promise.resolve()), ["estimated", 50]);
  assert.deepEqual(events, ["failed"]);
  // In the period in which it comes back it has measured a part at most.
  assert.deepEqual(await after5s(count(900)), ["estimated", 50]);
  assert.deepEqual(await after5s(count(925)), ["rapl", 25]);
  assert.deepEqual(events, ["failed", "back"]);
});

test("an owner's figures replace the table's; an unknown GPU is taken for a powerful one", async () => {
  const own = await MachineMeter.open({ ...nothing, watts: { idle: 20, max: 65 } });
  assert.match(own.source, /20\.0 W idle, 65\.0 W at most/);
  const unknown = await MachineMeter.open({ ...nothing, kind: "gpu-999g", gpus: 2 });
  assert.match(unknown.source, /2 gpu-999g GPUs \(92\.0 W idle, 814\.0 W at most\)/);
});

test("the classes that the guides name have figures of their own", () => {
  for (const kind of ["cpu", "gpu-16g", "gpu-24g", "gpu-48g", "gpu-80g", "gpu-141g"]) {
    const range = powerRange(kind);
    assert.ok(range && range.idle < range.max, kind);
  }
});

test("CPU time is read as the kernel counts it", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-proc-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const stat = (user: number, idle: number) =>
    writeFile(join(root, "stat"), `cpu  ${user} 100 200 ${idle} 50 10 40 999 500 0\ncpu0 1 1\ncpu1 1 1\nintr 5\n`);
  await stat(1000, 8600);
  assert.deepEqual(readCpuTimes(root), { busy: 13.5, total: 100, threads: 2 });
  const track = UsageTrack.machine(root);
  await stat(1600, 9000);
  assert.deepEqual(track.next(), { load: 0.6, busySeconds: 6, seconds: 10 });
  assert.equal(track.next().load, 0);
  assert.equal(readCpuTimes("/nonexistent"), undefined);
  assert.equal(UsageTrack.machine("/nonexistent").next().load, 0);
});

test("a slice counts its own time against its own CPUs", () => {
  let [now, own] = [0, 5];
  const track = UsageTrack.slice(
    2,
    () => own,
    () => now,
  );
  [now, own] = [10_000, 15];
  assert.deepEqual(track.next(), { load: 0.5, busySeconds: 10, seconds: 20 });
  [now, own] = [11_000, 18];
  assert.equal(track.next().load, 1);
});

test("energy goes to leases by CPU time; others' part is nobody's", () => {
  const leases = [
    { leaseId: 1, cpuSeconds: 30 },
    { leaseId: 2, cpuSeconds: 10 },
    { leaseId: 3, cpuSeconds: 0 },
  ];
  assert.deepEqual(attribute(1000, leases, 80), [
    { leaseId: 1, joules: 375 },
    { leaseId: 2, joules: 125 },
  ]);
  assert.deepEqual(attribute(1000, leases, 0), [
    { leaseId: 1, joules: 750 },
    { leaseId: 2, joules: 250 },
  ]);
  assert.deepEqual(attribute(1000, [], 80), []);
  assert.deepEqual(attribute(1000, [{ leaseId: 1, cpuSeconds: 0 }], 0), []);
});

test("leases never get more than there was", () => {
  const cpu = fc.double({ min: 0, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.nat(10 ** 9), fc.array(cpu, { maxLength: 20 }), cpu, (joules, times, busy) => {
      const shares = attribute(
        joules,
        times.map((cpuSeconds, leaseId) => ({ leaseId, cpuSeconds })),
        busy,
      );
      const sum = shares.reduce((total, share) => total + share.joules, 0);
      assert.ok(sum <= joules * (1 + 1e-9) && shares.every((share) => share.joules > 0));
    }),
    seeded(300),
  );
});
