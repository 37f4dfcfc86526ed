import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { PowerError } from "./meter.ts";
import { NvidiaMeter } from "./nvidia.ts";

/** What is asked of a tool that knows the energy counter. */
const FIELDS = "index,uuid,total_energy_consumption";

/** A program that answers like nvidia-smi; fields that it does not know are refused with the tool's own words. */
async function fakeTool(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "drmp-nvidia-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const tool = join(folder, "nvidia-smi");
  await writeFile(
    tool,
    `#!/bin/sh
field=$(echo "$1" | sed 's/--query-gpu=//')
test "$2" = "--format=csv,noheader,nounits" || exit 3
if [ -f "${folder}/$field" ]; then cat "${folder}/$field"; else
  echo "Field \\"$field\\" is not a valid field to query."; exit 2
fi
`,
  );
  await chmod(tool, 0o755);
  const set = (field: string, answer: string) => writeFile(join(folder, field), answer);
  return { tool, set, unset: (field: string) => rm(join(folder, field)) };
}

test("the energy counter is read where the tool has it; a reset counter is no negative energy", async (context) => {
  const { tool, set } = await fakeTool(context);
  await set("total_energy_consumption", "1000\n50000\n");
  await set("power.draw", "300.00\n300.00\n");
  const meter = await NvidiaMeter.open(tool);
  assert.ok(meter);
  assert.match(meter.source, /energy counter of 2 GPUs/);
  await set("total_energy_consumption", "3500\n51000\n");
  assert.equal((await meter.read()).joules, 3.5);
  await set("total_energy_consumption", "500\n52000\n");
  assert.equal((await meter.read()).joules, 1.5);
  meter.close();
});

test("power is integrated where there is no counter", async (context) => {
  const { tool, set } = await fakeTool(context);
  await set("power.draw", "100.00\n40.50\n");
  let now = 0;
  const meter = await NvidiaMeter.open(tool, 0, () => now);
  assert.ok(meter);
  assert.equal(meter.method, "nvml");
  assert.match(meter.source, /power\.draw of 2 GPUs, integrated/);
  await set("power.draw", "200.00\n40.50\n");
  now = 10_000;
  const reading = await meter.read();
  assert.equal(reading.joules, 1500 + 405);
  assert.equal(reading.method, "nvml");
});

test("the average over a second is preferred, and sampled in the background", async (context) => {
  const { tool, set } = await fakeTool(context);
  await set("power.draw.average", "100.00\n");
  await set("power.draw", "999.00\n");
  const meter = await NvidiaMeter.open(tool, 5);
  assert.ok(meter);
  assert.match(meter.source, /power\.draw\.average of 1 GPU,/);
  const start = performance.now();
  const { joules } = await meter.read();
  const most = ((performance.now() - start) / 1000) * 100;
  assert.ok(joules >= 0 && joules <= most + 20, `${joules} J`);
  meter.close();
});

test("without the tool, a GPU, or a power reading there is no such meter", async (context) => {
  assert.equal(await NvidiaMeter.open("/nonexistent/nvidia-smi"), undefined);
  const { tool, set } = await fakeTool(context);
  assert.equal(await NvidiaMeter.open(tool), undefined);
  await set("power.draw", "[N/A]\n");
  assert.equal(await NvidiaMeter.open(tool), undefined);
});

test("a driver that goes away is an error, and its energy is in the next reading", async (context) => {
  const { tool, set, unset } = await fakeTool(context);
  await set("total_energy_consumption", "1000\n");
  const meter = await NvidiaMeter.open(tool);
  assert.ok(meter);
  await unset("total_energy_consumption");
  await assert.rejects(meter.read(), PowerError);
  await set("total_energy_consumption", "9000\n");
  assert.equal((await meter.read()).joules, 8);
});

test("a GPU that is lost shifts no other one, and is named as not covered", async (context) => {
  const { tool, set } = await fakeTool(context);
  const list = (...values: readonly [gpu: string, millijoules: number][]) =>
    set(FIELDS, values.map(([gpu, mj], i) => `${String(i)}, ${gpu}, ${String(mj)}\n`).join(""));
  const [a, b] = ["GPU-aaaaaaaa-0000", "GPU-bbbbbbbb-0000"];
  await list([a, 1_000_000], [b, 9_000_000_000]);
  const meter = await NvidiaMeter.find(tool);
  await list([b, 9_000_000_500]);
  const { joules, uncovered } = await meter.read();
  assert.equal(joules, 0.5);
  assert.deepEqual([uncovered?.share, uncovered?.why.includes(a)], [0.5, true]);
});

test("only the GPUs for rent count, by index or UUID", async (context) => {
  const { tool, set } = await fakeTool(context);
  const list = (more: number) =>
    set(
      FIELDS,
      [0, 1, 2].map((i) => `${String(i)}, GPU-${String(i)}abc-0000, ${String(1000 + more * (i + 1))}\n`).join(""),
    );
  await list(0);
  const meter = await NvidiaMeter.find(tool, { gpus: ["0", "gpu-2abc"] });
  await list(1_000);
  assert.equal((await meter.read()).joules, 1 + 3);
  assert.match(meter.source, /counter of 2 GPUs/);
  await assert.rejects(NvidiaMeter.find(tool, { gpus: ["7"] }), /lists none of the node's GPUs/);
  await assert.rejects(NvidiaMeter.find(tool, { count: 1 }), /lists 3 GPUs where "power\.gpus" is 1/);
});

test("a tool that hangs is ended in time, with what it has started", async (context) => {
  const { tool, set } = await fakeTool(context);
  await set(FIELDS, "0, GPU-1, 1000\n");
  const meter = await NvidiaMeter.find(tool, { timeoutMs: 200 });
  await writeFile(tool, "#!/bin/sh\ntrap '' TERM\nsleep 60\n");
  await assert.rejects(meter.read(), /did not answer within 0\.2 s/);
});
