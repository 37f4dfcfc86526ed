import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { createLogger } from "@verai/process/logger";
import { agentConfig } from "../config.ts";
import { openMeter } from "./open.ts";

const silent = createLogger("test", "silent");

function configure(changes: object) {
  return agentConfig.parse({
    network: { rpcUrl: "http://127.0.0.1:8545", chainId: LOCAL_CHAIN_ID },
    operator: { testAccount: 1 },
    dataDir: "/nonexistent",
    node: { class: "gpu-80g/eu", capacity: 4, ask: "0.02", powerThreshold: 900, powerMax: 4_000, energySource: "grid" },
    ...changes,
  });
}

async function machine(context: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "drmp-open-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "powercap", "intel-rapl:0"), { recursive: true });
  for (const [file, text] of [
    ["name", "package-0"],
    ["max_energy_range_uj", "262143328850"],
    ["energy_uj", "5"],
  ] as const) {
    await writeFile(join(root, "powercap", "intel-rapl:0", file), text);
  }
  const lines = [0, 1, 2, 3].map((i) => `echo "${String(i)}, GPU-${String(i)}, 1000"`).join("; ");
  const tool = join(root, "nvidia-smi");
  await writeFile(tool, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return { powercap: join(root, "powercap"), nvidiaSmi: tool };
}

test("only the GPUs that the executor rents out are metered", async (context) => {
  const power = await machine(context);
  const source = async (executor: object) => {
    const meter = await openMeter(configure({ power, executor }), silent);
    meter.close();
    return meter.source;
  };
  assert.equal(await source({ kind: "container", gpus: ["3"] }), "RAPL package-0; NVML energy counter of 1 GPU");
  assert.equal(
    await source({ kind: "container", gpus: ["0", "GPU-2"] }),
    "RAPL package-0; NVML energy counter of 2 GPUs",
  );
  assert.equal(await source({ kind: "container" }), "RAPL package-0; NVML energy counter of 4 GPUs");
});

test("a node in a cluster is estimated: the meters of the agent's machine know nothing of it", async (context) => {
  const power = await machine(context);
  const volume = { claim: "drmp", path: "/drmp" };
  const executor = { kind: "kubernetes", namespace: "drmp", volume, unitSize: { cpus: 2, memoryMiB: 1024, gpus: 1 } };
  const meter = await openMeter(configure({ power, executor }), silent);
  assert.match(meter.source, /^estimate for 8 hardware threads .*; estimate for 4 gpu-80g GPUs /);
  assert.equal(meter.method, "estimated");
});

test("a powercap tree that is named and shows nothing is refused before the node registers", async () => {
  const power = { powercap: "/nonexistent", nvidiaSmi: "" };
  await assert.rejects(
    openMeter(configure({ power }), silent),
    /"power\.powercap" names \/nonexistent, which shows no/,
  );
});
