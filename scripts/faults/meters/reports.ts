import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { powerRange } from "@verai/agent/power/table";
import { readCpuTimes, UsageTrack } from "@verai/agent/power/usage";
import { ReportJournal } from "@verai/agent/telemetry/report-journal";
import { Sampler } from "@verai/agent/telemetry/sampler";
import { WorkloadCpu } from "@verai/agent/telemetry/workloads";
import { classBaseline } from "@verai/protocol/energy/baseline";
import { ROOT } from "@verai/devnet/processes";
import type { FaultCase } from "@verai/devnet/fault-case";
import { FakeMachine, uuid } from "./stand-ins.ts";

const stat = (busy: number, idle: number) => `cpu  ${String(busy)} 0 0 ${String(idle)} 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n`;

/** What becomes of /proc/stat, of which the load is read: 60 % were in use. */
const STATS: readonly { readonly name: string; readonly text: string | undefined }[] = [
  { name: "is gone", text: undefined },
  { name: "is empty", text: "" },
  { name: "has words for numbers", text: "cpu  a b c d e f g\n" },
  { name: "has no line of all processors", text: "cpu0 1 2 3 4\n" },
  { name: "is cut off", text: "cpu  16" },
  { name: "goes back to 0", text: stat(0, 0) },
  { name: "loses a processor with its time", text: stat(700, 200) },
];

const loads: FaultCase[] = STATS.map(({ name, text }) => ({
  name: `a /proc/stat that ${name}`,
  run: async ({ directory }) => {
    const file = join(directory, "stat");
    await writeFile(file, stat(1_000, 1_000));
    const track = UsageTrack.machine(directory);
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
    const { load, busySeconds, seconds } = track.next();
    for (const value of [load, busySeconds, seconds]) assert.ok(Number.isFinite(value) && value >= 0, String(value));
    assert.ok(load <= 1);
    // The load counts again when the system tells it again.
    await writeFile(file, stat(10_000, 10_000));
    track.next();
    await writeFile(file, stat(10_600, 10_400));
    assert.equal(track.next().load, 0.6);
    assert.equal(readCpuTimes(directory)?.threads, 2);
  },
}));

/** What a unit's CPU time does: seconds at each look, and what counts in all. */
const CLOCKS: readonly (readonly [name: string, seen: readonly number[], counts: number])[] = [
  ["vanishes and comes back", [100, 0, 100, 110], 110],
  ["is no number for a while", [100, Number.NaN, 120], 120],
  ["runs backwards", [100, 99.5, 101], 101],
  ["is negative", [-5, 10], 10],
  ["is infinite for a while", [50, Infinity, 60], 60],
];

const clocks: FaultCase[] = CLOCKS.map(([name, seen, counts]) => ({
  name: `a cgroup whose CPU time ${name}`,
  run: () => {
    const work = { lease: { id: 1, count: 1 }, cpuSeconds: 0, unitsRunning: 1 };
    const workloads = new WorkloadCpu(new Map([[1, work]]));
    let last = 0;
    for (const seconds of seen) {
      work.cpuSeconds = seconds;
      last = workloads.leases()[0]?.cpuSeconds ?? Number.NaN;
    }
    assert.equal(last, counts);
    assert.ok(Number.isFinite(workloads.totalSeconds()));
    return Promise.resolve();
  },
}));

const others: FaultCase[] = [
  {
    name: "all meters failing while reports are made",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      const whole = async (n: number) => {
        await machine.tree.zone("intel-rapl:0", "package-0", 30 * n);
        await machine.smi.lists([{ uuid: uuid(1), value: 20_000 * n }]);
      };
      await whole(1);
      const meter = await machine.open({ kind: "gpu-24g" });
      const work = { lease: { id: 9, count: 2 }, cpuSeconds: 0, unitsRunning: 2 };
      const workloads = new WorkloadCpu(new Map([[9, work]]));
      const sampler = new Sampler({
        meter,
        usage: () => ({ load: 0.75, busySeconds: 8, seconds: 10 }),
        leases: () => workloads.leases(),
        auditSeconds: () => 0,
        harvesting: () => false,
        renewable: 1,
        now: () => machine.now,
      });
      const journal = await ReportJournal.open(join(directory, "book", "reports.json"));
      const report = async (period: (n: number) => Promise<unknown>) => {
        for (let n = 0; n < 4; n++) {
          await period(n);
          machine.now += 5_000;
          work.cpuSeconds += 4;
          await journal.add(await sampler.next());
        }
        const drawn = journal.draft({ nodeId: 1, version: 1 });
        await journal.send(0);
        await journal.settle(true);
        return drawn;
      };
      const first = await report((n) => whole(2 + n));
      assert.deepEqual([first.method, first.joules, first.period], [2, 200, 20]);
      const broken = await report(async () => {
        await machine.tree.lock("intel-rapl:0");
        await machine.smi.does("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
      });
      // 10 W for the processor and 18 W for the GPU.
      assert.deepEqual([broken.method, broken.joules, broken.period], [3, 560, 20]);
      assert.equal(broken.shares[0]?.joules, 280);
      const partly = await report((n) => whole(20 + n));
      assert.equal(partly.method, 3, "the meters came back in the middle of it");
      const last = await report((n) => whole(24 + n));
      assert.deepEqual([last.method, last.joules, last.period], [2, 200, 20]);
      assert.equal(machine.problems.length, 2, machine.problems.join("; "));
      machine.close();
    },
  },
  {
    name: "a class that the guides name and the tables may lack",
    run: async () => {
      const guide = await readFile(join(ROOT, "docs", "guides", "contributor.md"), "utf8");
      const kinds = new Set(guide.match(/`(?:cpu|gpu-\d+g)`/g)?.map((each) => each.replaceAll("`", "")));
      assert.ok(kinds.size >= 6, [...kinds].join(", "));
      for (const kind of kinds) {
        const range = powerRange(kind);
        assert.ok(range && range.idle < range.max, `${kind} has no power in the table`);
        assert.ok(classBaseline(`${kind}/eu`), `${kind} has no baseline`);
      }
    },
  },
  {
    name: "a node without procfs and without meters",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await mkdir(join(directory, "empty"));
      const track = UsageTrack.machine(join(directory, "empty"));
      const meter = await machine.open({ cpuLoad: () => Number.NaN, nvidiaSmi: "", watts: { idle: 8, max: 90 } });
      assert.equal(track.next().load, 0);
      assert.deepEqual(await machine.after(10), { method: "estimated", joules: 80 });
      meter.close();
    },
  },
];

/** Faults of what reports are made of beside the meters, and of all meters at once. */
export const reportCases: readonly FaultCase[] = [...loads, ...clocks, ...others];
