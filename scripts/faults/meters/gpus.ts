import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { EstimatedMeter } from "@verai/agent/power/estimate";
import { FallbackMeter } from "@verai/agent/power/fallback";
import { PowerError } from "@verai/agent/power/meter";
import { NvidiaMeter } from "@verai/agent/power/nvidia";
import type { FaultCase } from "@verai/devnet/fault-case";
import { ESTIMATED_GPU_WATTS, ESTIMATED_WATTS, type FakeGpu, FakeMachine, uuid } from "./stand-ins.ts";

const SECONDS = 5;
const PROCESSOR = ESTIMATED_WATTS * SECONDS;
const GPU = ESTIMATED_GPU_WATTS * SECONDS;

/** GPUs with these energy counters, millijoules, or words. */
const gpus = (...values: (number | string)[]): FakeGpu[] => values.map((value, i) => ({ uuid: uuid(i), value }));
const FIRST = [1_000_000, 9_000_000_000, 5_000];
/** The same after five seconds: 100, 200 and 300 J more. */
const LATER = [1_100_000, 9_000_200_000, 305_000];
const [A = 0, B = 0, C = 0] = LATER;

/**
 * Three GPUs with energy counters, beside a processor that is measured: what the tool does in the next five seconds, and
 * what has to be reported for them. The processor always gives 20 J.
 */
const FAILURES: readonly {
  readonly name: string;
  readonly tool: (machine: FakeMachine) => Promise<void>;
  readonly joules: number;
  /** "nvml" unless it is said to be an estimate. */
  readonly says?: RegExp;
}[] = [
  {
    name: "a GPU that falls off the bus",
    tool: ({ smi }) => smi.lists(gpus(...LATER).slice(1)),
    joules: 500 + GPU,
    says: /GPU-00000000\S* is not listed/,
  },
  {
    name: "a GPU without a number: [N/A]",
    tool: ({ smi }) => smi.lists(gpus(A, "[N/A]", C)),
    joules: 400 + GPU,
    says: /GPU-1111\S* gives \[N\/A\]/,
  },
  {
    name: "a GPU that wants a reset",
    tool: ({ smi }) => smi.lists(gpus(A, B, "[GPU requires reset]")),
    joules: 300 + GPU,
    says: /requires reset/,
  },
  {
    name: "a GPU that gives ERR!",
    tool: ({ smi }) => smi.lists(gpus("ERR!", B, C)),
    joules: 500 + GPU,
    says: /ERR!/,
  },
  {
    name: "numbers no longer supported: [Not Supported]",
    tool: ({ smi }) => smi.lists(gpus("[Not Supported]", "[Not Supported]", "[Not Supported]")),
    joules: 3 * GPU,
    says: /Not Supported/,
  },
  {
    name: "[Unknown Error] for all GPUs",
    tool: ({ smi }) => smi.lists(gpus("[Unknown Error]", "[Unknown Error]", "[Unknown Error]")),
    joules: 3 * GPU,
    says: /Unknown Error/,
  },
  {
    name: "a damaged infoROM: a warning and exit code 14",
    tool: ({ smi }) =>
      smi.lists(gpus(...LATER), { noise: "WARNING: infoROM is corrupted at gpu 0000:B3:00.0\n", code: 14 }),
    joules: 600,
  },
  {
    name: "warnings, headings and empty lines around the figures",
    tool: ({ smi }) =>
      smi.lists(gpus(...LATER), { noise: "\nindex, uuid, energy [mJ]\n1, 2, 3\nGPU-1, 7\n", end: "\n\nWARNING: 99\n" }),
    joules: 600,
  },
  {
    name: "output that is cut off in the middle of a number",
    tool: ({ smi }) => smi.lists(gpus(A, B, 30), { end: "" }),
    joules: 300 + GPU,
    says: /GPU-2222\S* is not listed/,
  },
  {
    name: "GPUs listed in another order",
    tool: async ({ smi }) => {
      const [a, b, c] = gpus(...LATER) as [FakeGpu, FakeGpu, FakeGpu];
      await smi.lists([c, a, b]);
    },
    joules: 600,
  },
  {
    name: "a GPU listed twice",
    tool: ({ smi }) => smi.lists([...gpus(...LATER), ...gpus(...LATER)]),
    joules: 600,
  },
  {
    name: "a counter that starts again with the driver",
    tool: ({ smi }) => smi.lists(gpus(A, B, 2_000)),
    joules: 302,
  },
  {
    name: "a counter one millijoule lower",
    tool: ({ smi }) => smi.lists(gpus(999_999, B, C)),
    joules: 500,
  },
  {
    name: "a counter that leaps by nine megajoules",
    tool: ({ smi }) => smi.lists(gpus(9_000_000_000, B, C)),
    joules: 500 + GPU,
    says: /GPU-0000\S* rose by/,
  },
  {
    name: "a GPU counter that is stuck",
    tool: ({ smi }) => smi.lists(gpus(FIRST[0] ?? 0, B, C)),
    joules: 500 + GPU,
    says: /has not moved/,
  },
  {
    name: "a negative GPU counter",
    tool: ({ smi }) => smi.lists(gpus(-5, B, C)),
    joules: 500 + GPU,
    says: /GPU-0000\S* is not listed/,
  },
  {
    name: "a counter at 2^64 - 1",
    tool: ({ smi }) => smi.lists(gpus("18446744073709551615", B, C)),
    joules: 500 + GPU,
    says: /GPU-0000/,
  },
  {
    name: "a driver update: Driver/library version mismatch",
    tool: ({ smi }) =>
      smi.does(
        'echo "Failed to initialize NVML: Driver/library version mismatch"; echo "NVML library version: 535.161"; exit 18',
      ),
    joules: 3 * GPU,
    says: /exit code 18: Failed to initialize NVML: Driver\/library version mismatch[\s\S]*restart the machine/,
  },
  {
    name: "a driver that was unloaded",
    tool: ({ smi }) =>
      smi.does('echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9'),
    joules: 3 * GPU,
    says: /exit code 9: NVIDIA-SMI has failed/,
  },
  {
    name: "No devices were found, exit code 0",
    tool: ({ smi }) => smi.does('echo "No devices were found"'),
    joules: 3 * GPU,
    says: /No devices were found/,
  },
  {
    name: "no output and exit code 0",
    tool: ({ smi }) => smi.does("exit 0"),
    joules: 3 * GPU,
    says: /lists no GPU \(exit code 0\)/,
  },
  {
    name: "no output and exit code 255",
    tool: ({ smi }) => smi.does("exit 255"),
    joules: 3 * GPU,
    says: /exit code 255/,
  },
  {
    name: "a tool that ends by a signal",
    tool: ({ smi }) => smi.does("kill -SEGV $$"),
    joules: 3 * GPU,
    says: /lists no GPU/,
  },
  { name: "a tool that is removed", tool: ({ smi }) => smi.remove(), joules: 3 * GPU, says: /does not exist/ },
  {
    name: "a tool that may no longer be run",
    tool: async ({ smi }) => {
      await smi.remove();
      await writeFile(smi.path, "");
    },
    joules: 3 * GPU,
    says: /cannot be run \(EACCES\)/,
  },
  {
    name: "an endless answer",
    tool: ({ smi }) => smi.does("while :; do echo 0123456789012345678901234567890123456789; done"),
    joules: 3 * GPU,
    says: /more than 256 KiB/,
  },
  {
    name: "an answer of noise bytes",
    tool: ({ smi }) => smi.does("head -c 4096 /dev/urandom"),
    joules: 3 * GPU,
    says: /lists no GPU/,
  },
];

const failureCases: FaultCase[] = FAILURES.map(({ name, tool, joules, says }) => ({
  name,
  run: async ({ directory }) => {
    const machine = new FakeMachine(directory);
    let counted = 0;
    const tick = async () => machine.tree.zone("intel-rapl:0", "package-0", (counted += 20));
    await tick();
    await machine.smi.lists(gpus(...FIRST));
    await machine.open({ kind: "gpu-80g", gpus: undefined, maxWatts: 4_000 });
    await tick();
    await tool(machine);
    const expected = { method: says ? "estimated" : "nvml", joules: joules + 20 };
    assert.deepEqual(await machine.after(SECONDS), expected);
    assert.match(machine.problems.join(), says ?? /^$/);
    // And back, as soon as the tool works again: measured at the latest in the third period.
    const at = (n: number) => machine.smi.lists(gpus(A + n, B + n, C + n));
    for (const n of [40_000, 80_000]) {
      await tick();
      await at(n);
      await machine.after(SECONDS);
    }
    await tick();
    await at(90_000);
    assert.deepEqual(await machine.after(SECONDS), { method: "nvml", joules: 20 + 30 });
    assert.deepEqual(
      machine.events.map(({ kind }) => kind),
      says ? ["failed", "back"] : [],
    );
    machine.close();
  },
}));

const EIGHT = [10, 20, 30, 40, 50, 60, 70, 80].map((each) => each * 1_000);
const more = (...joules: number[]) => gpus(...EIGHT.map((value, i) => value + (joules[i] ?? 900) * 1_000));

/** Eight GPUs of which some are for rent: what is measured of them, joules in five seconds. */
const rentals: FaultCase[] = (
  [
    ["one of eight, by index", { rented: ["3"] }, 4],
    ["one of eight, by UUID", { rented: [uuid(5)] }, 6],
    ["one of eight, by the beginning of its UUID in capitals", { rented: [uuid(6).slice(0, 12).toUpperCase()] }, 7],
    ["two of eight, one of them named twice", { rented: ["1", uuid(1), "2"] }, 5],
  ] as const
).map(([name, options, joules]) => ({
  name: `a node that rents ${name}`,
  run: async ({ directory }) => {
    const machine = new FakeMachine(directory);
    await machine.smi.lists(more(0, 0, 0, 0, 0, 0, 0, 0));
    const meter = await machine.open({ kind: "gpu-80g", slice: true, maxWatts: 4_000, ...options });
    await machine.smi.lists(more(1, 2, 3, 4, 5, 6, 7, 8));
    const { joules: all } = await machine.after(SECONDS);
    assert.equal(all, joules + PROCESSOR, meter.source);
    machine.close();
  },
}));

const others: FaultCase[] = [
  ...rentals,
  {
    name: "a rented GPU by index, after one before it was lost and the driver restarted",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(more(0, 0, 0, 0, 0, 0, 0, 0));
      await machine.open({ kind: "gpu-80g", slice: true, maxWatts: 4_000, rented: ["3"] });
      await machine.smi.does("exit 9");
      await machine.after(SECONDS);
      // Without GPU 0 the others have moved up.
      const seven = (...args: number[]) => machine.smi.lists(more(...args).slice(1));
      await seven(0, 0, 0, 0);
      await machine.after(SECONDS);
      await seven(0, 0, 0, 12);
      assert.equal((await machine.after(SECONDS)).joules, 12 + PROCESSOR);
    },
  },
  {
    name: "a lost GPU that keeps the tool from listing the others",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(gpus(...FIRST));
      await machine.open({ kind: "gpu-80g", slice: true, maxWatts: 4_000, rented: [uuid(0), uuid(2)] });
      await writeFile(`${machine.smi.path}.list`, `2, ${uuid(2)}, ${String(C)}\n`);
      await machine.smi.does(`case "$3" in
--id=${uuid(2)}) cat "${machine.smi.path}.list";;
*) echo "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost. Reboot the system."; exit 15;;
esac`);
      const expected = { method: "estimated", joules: PROCESSOR + 300 + GPU };
      assert.deepEqual(await machine.after(SECONDS), expected);
      // The tool fails altogether for a moment: the one that is left is found again.
      const path = machine.smi.path;
      await rename(path, `${path}.x`);
      await machine.after(SECONDS);
      await rename(`${path}.x`, path);
      await machine.after(SECONDS);
      await writeFile(`${path}.list`, `2, ${uuid(2)}, ${String(C + 77_000)}\n`);
      assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 77 + GPU);
    },
  },
  {
    name: "eight visible GPUs where the configuration speaks of one",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(more(0, 0, 0, 0, 0, 0, 0, 0));
      await machine.open({ kind: "gpu-80g", slice: true, gpus: 1 });
      assert.deepEqual(await machine.after(SECONDS), { method: "estimated", joules: PROCESSOR + GPU });
      assert.match(machine.problems.join(), /lists 8 GPUs where "power\.gpus" is 1: name those for rent/);
    },
  },
  {
    name: "a GPU that is plugged in at run time",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(gpus(1_000));
      const meter = await machine.open({ kind: "gpu-80g", slice: true });
      await machine.smi.lists(gpus(21_000, 7_000_000));
      assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 20);
      await machine.smi.lists(gpus(41_000, 7_030_000));
      assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 50);
      assert.match(meter.source, /counter of 2 GPUs/);
    },
  },
  {
    name: "a GPU that is plugged in beside the declared one",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(gpus(1_000));
      await machine.open({ kind: "gpu-80g", slice: true, gpus: 1 });
      for (const [first, second] of [
        [21_000, 7_000_000],
        [41_000, 7_030_000],
      ] as const) {
        await machine.smi.lists(gpus(first, second));
        assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 20);
      }
    },
  },
  {
    name: "a driver that works only after the start",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.does('echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
      const meter = await machine.open({ kind: "gpu-80g", slice: true });
      assert.equal((await machine.after(60)).method, "estimated");
      await machine.smi.lists(gpus(1_000));
      await machine.after(SECONDS);
      await machine.smi.lists(gpus(51_000));
      assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 50);
      assert.match(meter.source, /NVML energy counter of 1 GPU$/);
      assert.deepEqual(
        machine.events.map(({ kind }) => kind),
        ["failed", "back"],
      );
    },
  },
  {
    name: "a driver that knows no energy counter after a downgrade",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(gpus(1_000));
      const meter = await machine.open({ kind: "gpu-80g", slice: true });
      const power = () => machine.smi.lists(gpus("100.00"), { field: "power.draw" });
      await power();
      await machine.after(SECONDS);
      await machine.after(SECONDS);
      assert.equal((await machine.after(SECONDS)).joules, PROCESSOR + 500);
      assert.match(meter.source, /power\.draw of 1 GPU, integrated/);
      machine.close();
    },
  },
  ...(
    [
      ["a power of 2^63 W", "9223372036854775807"],
      ["a power above what the machine can draw", "401"],
      ["a negative power", "-100.00"],
    ] as const
  ).map(([name, value]): FaultCase => ({
    name,
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      const power = (...values: string[]) => machine.smi.lists(gpus(...values), { field: "power.draw" });
      await power("100.00", "50.00");
      await machine.open({ kind: "gpu-80g", slice: true });
      await power(value, "50.00");
      const expected = { method: "estimated", joules: PROCESSOR + 250 + GPU };
      assert.deepEqual(await machine.after(SECONDS), expected);
      machine.close();
    },
  })),
  {
    name: "decimal commas and units",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      const power = (...values: string[]) => machine.smi.lists(gpus(...values), { field: "power.draw.average" });
      await power("100,50", "50.00 W");
      await machine.open({ kind: "gpu-80g", slice: true });
      const joules = PROCESSOR + 502.5 + 250;
      assert.deepEqual(await machine.after(SECONDS), { method: "estimated", joules });
      assert.deepEqual(machine.events, []);
      machine.close();
    },
  },
  {
    name: "a tool that refuses UUIDs, and a line that disappears",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      const lines = (text: string) =>
        machine.smi.does(`case "$1" in --query-gpu=power.draw) printf '${text}';; *) exit 2;; esac`);
      await lines("300\\n20\\n");
      await machine.open({ kind: "gpu-80g", slice: true });
      await lines("20\\n");
      // Whichever of the two is left draws 20 W.
      assert.deepEqual(await machine.after(SECONDS), { method: "estimated", joules: PROCESSOR + 100 + GPU });
      machine.close();
    },
  },
  ...(
    [
      ["a tool that hangs", "sleep 60"],
      ["a tool that hangs and hears no signal", "trap '' TERM INT HUP; sleep 60; sleep 60"],
      ["a tool whose child keeps its output open", "sleep 60 & exit 0"],
      ["a tool that drips", "while :; do printf x; sleep 0.05; done"],
    ] as const
  ).map(([name, body]): FaultCase => ({
    name,
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.smi.lists(gpus(1_000));
      const meter = await NvidiaMeter.find(machine.smi.path, { timeoutMs: 250, maxWatts: 400 });
      await machine.smi.does(`echo $$ > "${join(directory, "pid")}"\n${body}`);
      const started = performance.now();
      await assert.rejects(meter.read(), /did not answer within 0\.25 s/);
      assert.ok(performance.now() - started < 2_000, "the reading was held up");
      await machine.smi.lists(gpus(21_000));
      assert.equal((await meter.read()).joules, 20);
    },
  })),
  {
    name: "a tool that hangs for an hour, asked every five seconds",
    run: async () => {
      let [now, attempts] = [0, 0];
      const hangs = () => {
        now += 10_000;
        attempts += 1;
        return Promise.reject(new PowerError("did not answer within 10 s"));
      };
      const clock = () => now;
      const estimate = new EstimatedMeter("1 GPU", { idle: 10, max: 10 }, () => 0, clock);
      const events: string[] = [];
      const onEvent = ({ kind }: { kind: string }) => events.push(kind);
      const meter = await FallbackMeter.start({ part: "the GPU", open: hangs, estimate, onEvent, now: clock });
      let joules = 0;
      for (; now < 3_600_000; now += 5_000) joules += (await meter.read()).joules;
      // A minute's pause after each attempt, no second without its estimate, one word.
      assert.ok(attempts <= 52, `${String(attempts)} attempts`);
      assert.ok(Math.abs(joules - now / 100) < 200, `${String(joules)} J`);
      assert.deepEqual(events, ["failed"]);
    },
  },
];

/** Faults of NVIDIA's driver and its tool. */
export const gpuCases: readonly FaultCase[] = [...failureCases, ...others];
