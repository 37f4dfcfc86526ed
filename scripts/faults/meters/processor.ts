import assert from "node:assert/strict";

import type { FaultCase } from "@verai/devnet/fault-case";
import { ESTIMATED_WATTS, FakeMachine, RANGE } from "./stand-ins.ts";

const ZONE = "intel-rapl:0";
const SECONDS = 5;
const ESTIMATE = { method: "estimated", joules: ESTIMATED_WATTS * SECONDS };
const measured = (joules: number) => ({ method: "rapl", joules });

/** A counter before and after, and what has to be reported for the five seconds between. */
const COUNTERS: readonly {
  readonly name: string;
  readonly from: number;
  readonly to: number | string;
  readonly reported: { readonly method: string; readonly joules: number };
  readonly range?: number | string;
  readonly seconds?: number;
}[] = [
  { name: "a counter that reads one microjoule lower", from: 30, to: 29.999999, reported: measured(0) },
  { name: "a counter that slips back by a joule near its end", from: 262_143, to: 262_142, reported: measured(0) },
  { name: "a small counter that starts again after a suspend", from: 30, to: 1, reported: measured(1) },
  { name: "a large counter that starts again after a suspend", from: 200_000, to: 3, reported: measured(3) },
  { name: "a counter that falls to what it cannot have counted since", from: 200_000, to: 90_000, reported: ESTIMATE },
  { name: "a counter that wraps around", from: RANGE / 1e6 - 5, to: 2, reported: measured(7) },
  {
    name: "a narrow counter that wraps around",
    from: 65_530,
    to: 8,
    range: 65_532_610_987,
    reported: measured(10.611),
  },
  { name: "a counter that leaps by its whole range", from: 10, to: 262_000, reported: ESTIMATE },
  { name: "a gain just above what the machine can draw", from: 10, to: 2_500, reported: ESTIMATE },
  { name: "a gain just within what the machine can draw", from: 10, to: 1_910, reported: measured(1_900) },
  { name: "a counter that is stuck", from: 10, to: 10, reported: ESTIMATE },
  { name: "a negative counter", from: 10, to: "-20000000", reported: ESTIMATE },
  { name: "a counter that is no number", from: 10, to: "<not counted>", reported: ESTIMATE },
  { name: "an empty counter", from: 10, to: "", reported: ESTIMATE },
  { name: "a counter at 2^63 - 1", from: 10, to: "9223372036854775807", reported: ESTIMATE },
  { name: "a counter above its own maximum", from: 10, to: RANGE / 1e6 + 1, reported: ESTIMATE },
  { name: "a counter in hexadecimal", from: 10, to: "0x1312D00", reported: ESTIMATE },
  { name: "a counter with a fraction", from: 10, to: "20000000.5", reported: ESTIMATE },
  { name: "a counter of two lines", from: 10, to: "20000000\n30000000", reported: ESTIMATE },
  { name: "a counter that falls where the range is 0", from: 200_000, to: 7, range: 0, reported: measured(7) },
  {
    name: "a counter that falls where the range is no number",
    from: 200_000,
    to: 7,
    range: "max",
    reported: measured(7),
  },
  {
    name: "a pause in which the counter may have gone around twice",
    from: 10,
    to: 500,
    seconds: 1_000,
    reported: { method: "estimated", joules: 10_000 },
  },
  { name: "a pause in which it cannot have", from: 10, to: 5_010, seconds: 100, reported: measured(5_000) },
];

const counterCases: FaultCase[] = COUNTERS.map(({ name, from, to, range = RANGE, reported, seconds = SECONDS }) => ({
  name,
  run: async ({ directory }) => {
    const machine = new FakeMachine(directory);
    const { tree } = machine;
    await tree.zone(ZONE, "package-0", from, range);
    await machine.open();
    await tree.count(ZONE, to);
    assert.deepEqual(await machine.after(seconds), reported);
    // Said once, however long it lasts.
    const said = reported.method === "estimated" ? 1 : 0;
    assert.equal(machine.problems.length, said, machine.problems.join("; "));
    // And back when it counts again: measured at the latest in the third period.
    for (const joules of [100, 130, 160]) {
      await tree.count(ZONE, joules);
      await machine.after(SECONDS);
    }
    await tree.count(ZONE, 190);
    assert.deepEqual(await machine.after(SECONDS), measured(30));
    assert.equal(machine.problems.length, said);
    assert.equal(machine.events.filter(({ kind }) => kind === "back").length, said);
  },
}));

/** Whatever happens to the tree: five seconds after it, and whether the words name it. */
const TREES: readonly {
  readonly name: string;
  readonly happens: (machine: FakeMachine) => Promise<void>;
  readonly reported: { readonly method: string; readonly joules: number };
  readonly says?: RegExp;
}[] = [
  {
    name: "a counter that only root may read from now on",
    happens: ({ tree }) => tree.lock("intel-rapl:1"),
    reported: ESTIMATE,
    says: /intel-rapl:1\/energy_uj cannot be read[\s\S]*chmod/,
  },
  {
    name: "a tree that vanishes at run time",
    happens: ({ tree }) => tree.remove(),
    reported: ESTIMATE,
    says: /package-0, and is now gone/,
  },
  {
    name: "one of two packages that vanishes",
    happens: ({ tree }) => tree.remove("intel-rapl:1"),
    reported: ESTIMATE,
    says: /package-1, and is now gone/,
  },
  {
    name: "a zone that is another one from now on",
    happens: async ({ tree }) => {
      await tree.zone("intel-rapl:1", "psys", 2);
      await tree.zone("intel-rapl:5", "package-1", 2);
    },
    reported: ESTIMATE,
    says: /was package-1, and is now "psys"/,
  },
  {
    name: "zones that swap their numbers",
    happens: async ({ tree }) => {
      await tree.rename("intel-rapl:0", "x");
      await tree.rename("intel-rapl:1", "intel-rapl:0");
      await tree.rename("x", "intel-rapl:1");
    },
    reported: ESTIMATE,
    says: /is now "package-/,
  },
  {
    name: "one stuck package of two: the other is measured, the figure is an estimate",
    happens: ({ tree }) => tree.count("intel-rapl:0", 130),
    reported: { method: "estimated", joules: 30 + (ESTIMATED_WATTS * SECONDS) / 2 },
    says: /intel-rapl:1 has not moved for 5 s/,
  },
  {
    name: "packages shown three times, with their children and psys",
    happens: async ({ tree }) => {
      await tree.count("intel-rapl:0", 130);
      await tree.count("intel-rapl:1", 40);
      for (const zone of ["intel-rapl-mmio:0", "intel-rapl:0:0", "intel-rapl:7"]) await tree.count(zone, 900);
    },
    reported: measured(70),
  },
];

const treeCases: FaultCase[] = TREES.map(({ name, happens, reported, says }) => ({
  name,
  run: async ({ directory }) => {
    const machine = new FakeMachine(directory);
    const { tree } = machine;
    const whole = async (joules: number) => {
      await tree.remove("intel-rapl:5");
      await tree.zone("intel-rapl:0", "package-0", 100 + joules);
      await tree.zone("intel-rapl:1", "package-1", joules);
      await tree.zone("intel-rapl:0:0", "core", joules);
      await tree.zone("intel-rapl:7", "package-0", joules);
      await tree.zone("intel-rapl-mmio:0", "package-0", joules);
    };
    await whole(0);
    await machine.open();
    await happens(machine);
    assert.deepEqual(await machine.after(SECONDS), reported);
    assert.match(machine.problems.join(), says ?? /^$/);
    // However long it lasts, nothing is called measured without the missing part, and nothing is said again.
    const before = machine.problems.length;
    if (says) for (let i = 0; i < 3; i++) assert.equal((await machine.after(SECONDS)).method, "estimated");
    assert.equal(machine.problems.length, before, machine.problems.join("; "));
    for (const joules of [100, 120, 140]) {
      await whole(joules);
      await machine.after(SECONDS);
    }
    await whole(160);
    assert.deepEqual(await machine.after(SECONDS), measured(40));
    assert.equal(machine.events.length, 2 * before);
  },
}));

const others: FaultCase[] = [
  {
    name: "a single false reading of 0",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.tree.zone(ZONE, "package-0", 900);
      await machine.open();
      await machine.tree.count(ZONE, 0);
      assert.deepEqual(await machine.after(SECONDS), measured(0));
      await machine.tree.count(ZONE, 940);
      assert.deepEqual(await machine.after(SECONDS), measured(40));
    },
  },
  {
    name: "a module that is loaded after the start",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.open();
      assert.deepEqual(await machine.after(SECONDS), ESTIMATE);
      await machine.tree.zone(ZONE, "package-0", 900);
      assert.deepEqual(await machine.after(SECONDS), ESTIMATE);
      await machine.tree.count(ZONE, 933);
      assert.deepEqual(await machine.after(SECONDS), measured(33));
      assert.deepEqual(machine.events, []);
    },
  },
  {
    name: "a counter that comes and goes a hundred times",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.tree.zone(ZONE, "package-0", 0);
      await machine.open();
      for (let i = 1; i <= 100; i++) {
        await machine.tree.count(ZONE, "?");
        assert.equal((await machine.after(1)).method, "estimated");
        for (const more of [0, 1, 2]) {
          await machine.tree.count(ZONE, 10 * i + more);
          await machine.after(1);
        }
      }
      assert.equal(machine.problems.length, 1);
    },
  },
  {
    name: "a package shown twice under one name",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.tree.zone("intel-rapl:0", "package-0", 5);
      await machine.tree.zone("intel-rapl:1", "package-0", 5);
      await machine.open();
      await machine.tree.count("intel-rapl:0", 25);
      await machine.tree.count("intel-rapl:1", 25);
      assert.deepEqual(await machine.after(SECONDS), measured(20));
    },
  },
  {
    name: "a machine that shows its packages under intel-rapl-mmio alone",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.tree.zone("intel-rapl-mmio:0", "package-0", 5);
      await machine.open();
      await machine.tree.count("intel-rapl-mmio:0", 25);
      assert.deepEqual(await machine.after(SECONDS), measured(20));
    },
  },
  {
    name: "an estimate above what the machine declares",
    run: async ({ directory }) => {
      const machine = new FakeMachine(directory);
      await machine.open({ maxWatts: 4 });
      assert.deepEqual(await machine.after(SECONDS), { method: "estimated", joules: 4 * SECONDS });
    },
  },
];

/** Faults of the processor's counters. */
export const processorCases: readonly FaultCase[] = [...counterCases, ...treeCases, ...others];
