import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { PowerError } from "./meter.ts";
import { RaplMeter } from "./rapl.ts";

const RANGE = 262_143_328_850;

/** A powercap tree like that of a machine with two packages. Microjoules by folder. */
async function powercap(context: TestContext, counters: Readonly<Record<string, readonly [string, number]>>) {
  const root = await mkdtemp(join(tmpdir(), "drmp-powercap-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const set = async (zone: string, name: string, microjoules: number) => {
    await mkdir(join(root, zone), { recursive: true });
    await writeFile(join(root, zone, "name"), `${name}\n`);
    await writeFile(join(root, zone, "max_energy_range_uj"), `${String(RANGE)}\n`);
    await writeFile(join(root, zone, "energy_uj"), `${String(microjoules)}\n`);
  };
  await mkdir(join(root, "intel-rapl"));
  for (const [zone, [name, microjoules]] of Object.entries(counters)) await set(zone, name, microjoules);
  return { root, set };
}

test("packages are summed; their children, psys and the second view of them are not", async (context) => {
  const { root, set } = await powercap(context, {
    "intel-rapl:0": ["package-0", 1_000_000],
    "intel-rapl:0:0": ["core", 500_000],
    "intel-rapl:0:1": ["dram", 100_000],
    "intel-rapl:1": ["package-1", 7_000_000],
    "intel-rapl:2": ["psys", 90_000_000],
    "intel-rapl-mmio:0": ["package-0", 1_000_000],
  });
  const meter = await RaplMeter.open(root);
  assert.ok(meter);
  assert.equal(meter.method, "rapl");
  assert.equal(meter.source, "RAPL package-0, package-1");
  await set("intel-rapl:0", "package-0", 3_500_000);
  await set("intel-rapl:0:0", "core", 2_500_000);
  await set("intel-rapl:1", "package-1", 7_250_000);
  await set("intel-rapl:2", "psys", 99_000_000);
  await set("intel-rapl-mmio:0", "package-0", 3_500_000);
  assert.equal((await meter.read()).joules, 2.75);
  assert.equal((await meter.read()).joules, 0);
});

test("a counter that wraps around is followed", async (context) => {
  const { root, set } = await powercap(context, { "intel-rapl:0": ["package-0", RANGE - 2_000_000] });
  const meter = await RaplMeter.open(root);
  await set("intel-rapl:0", "package-0", 1_000_000);
  assert.equal((await meter?.read())?.joules, 3);
});

test("a reading that fails loses nothing", async (context) => {
  const { root, set } = await powercap(context, {
    "intel-rapl:0": ["package-0", 0],
    "intel-rapl:1": ["package-1", 0],
  });
  const meter = await RaplMeter.open(root);
  assert.ok(meter);
  await set("intel-rapl:0", "package-0", 4_000_000);
  await writeFile(join(root, "intel-rapl:1", "energy_uj"), "");
  await assert.rejects(meter.read(), PowerError);
  await set("intel-rapl:1", "package-1", 1_000_000);
  assert.equal((await meter.read()).joules, 5);
});

test("a machine without packages has no such meter; one whose counters are locked is told what helps", async (context) => {
  assert.equal(await RaplMeter.open("/nonexistent"), undefined);
  const { root } = await powercap(context, { "intel-rapl:0": ["psys", 5] });
  assert.equal(await RaplMeter.open(root), undefined);
  const locked = await powercap(context, { "intel-rapl:0": ["package-0", 5] });
  // Root reads whatever its mode is, so the counter is made unreadable in another way.
  await rm(join(locked.root, "intel-rapl:0", "energy_uj"));
  await mkdir(join(locked.root, "intel-rapl:0", "energy_uj"));
  await assert.rejects(RaplMeter.open(locked.root), /energy_uj cannot be read[\s\S]*power\.powercap/);
});
