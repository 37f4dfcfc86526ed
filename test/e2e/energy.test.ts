import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { readClassEnergy } from "@verai/client/telemetry";
import { DRMP } from "@verai/devnet/doors";
import { NODES } from "@verai/devnet/participants";
import { HARDHAT } from "@verai/devnet/chain";
import { showEnergy } from "@verai/devnet/energy";
import { ROOT } from "@verai/devnet/processes";
import { TestNetwork } from "@verai/devnet/network";
import { collectEnergy } from "@verai/tasks/energy/collect";
import { printEnergy } from "@verai/tasks/energy/print";

const run = promisify(execFile);

let network: TestNetwork;
before(async () => {
  network = await TestNetwork.start("test-energy");
});
after(async () => {
  await network.stop();
});

test(
  "a hot node is relieved, a power-hungry one is throttled and hands its work over, and all of it is accounted for",
  { timeout: 3_600_000 },
  () => network.withTails(scenario),
);

async function scenario(): Promise<void> {
  const { session, processes, configs } = network;
  const { reader } = session;
  await configs.announceKeeper();
  const machines = NODES.filter(({ class: name }) => name.startsWith("cpu/"));
  for (const node of machines) await network.agent(node);
  await network.until("all nodes are listed", async () => {
    const nodes = await reader.nodes(await reader.block());
    return nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length === machines.length;
  });
  processes.start("keeper", ["keepers/main.ts", "run", "--config", await configs.keeper(1)]);
  const outcome = await showEnergy({
    session,
    processes,
    configs,
    say: () => undefined,
    processOf: ({ name }) => name,
    collect: collectEnergy,
  });
  for (const { what, ok } of outcome.checks) assert.ok(ok, `${what}\n${printEnergy(outcome.network)}`);

  // Keepers posted the reports, in batches; agents that were relieved went on from their checkpoints.
  const posted = (await network.log("keeper")).filter(({ msg }) => msg === "reports posted");
  assert.ok(posted.length > 0, "the keeper posts reports");
  assert.ok(
    posted.some((line) => Number(line["reports"]) > 1),
    "several at once",
  );
  const successor = await reader.node(await reader.block(), outcome.relieved.to);
  const name = await nameOf(successor?.operator ?? "");
  const restored = (await network.log(name)).filter(({ msg }) => msg === "restored from checkpoint");
  assert.ok(restored.length > 0, `${name} restores what was moved to it`);

  // What an operator sees.
  const { taskId } = (await reader.leasesById(await reader.block(), [outcome.relieved.leaseId]))[0] ?? { taskId: 0 };
  const { rpcUrl, deployment } = network.chain;
  const args = [HARDHAT, "energy:report", "--network", "localhost", "--deployment", deployment];
  const report = async (...more: string[]) =>
    (
      await run(process.execPath, [...args, ...more], {
        cwd: ROOT,
        env: { ...process.env, DRMP_LOCALHOST_URL: rpcUrl },
      })
    ).stdout;
  const json = JSON.parse(await report("--task", String(taskId), "--json")) as {
    account: { kwh: number };
    leases: unknown[];
  };
  assert.ok(json.account.kwh > 0 && json.leases.length >= 2);
  assert.match(await report(), /Energy of the network[\s\S]*estimated[\s\S]*80 % by 2030/);
  await assert.rejects(report("--node", "1", "--task", "1"), /not for both/);

  // By a table by hour that has twice the average, the electricity of the same task emits twice as much.
  const table = await tableByHour(2);
  const receiptOf = async (...more: string[]) => {
    const asked = [DRMP, "task:status", "--deployment", deployment, "--task", String(taskId), "--json", ...more];
    const { stdout } = await run(process.execPath, asked, {
      cwd: ROOT,
      env: { ...process.env, DRMP_LOCALHOST_URL: rpcUrl },
    });
    return (JSON.parse(stdout) as { receipt: { carbonGrams: number; hourlyShare?: number } }).receipt;
  };
  const [average, hourly] = [await receiptOf(), await receiptOf("--hourly", table)];
  assert.equal(average.hourlyShare, undefined);
  // None where it ran on renewable energy alone. The chain rounds each report's carbon to milligrams.
  assert.equal(hourly.hourlyShare, 1, JSON.stringify({ average, hourly }));
  const twice = 2 * average.carbonGrams;
  assert.ok(Math.abs(hourly.carbonGrams - twice) <= 0.05 * twice + 0.005, JSON.stringify({ average, hourly }));
}

/** A table of the hours until now with `times` the average intensity of each region. */
async function tableByHour(times: number): Promise<string> {
  const { reader } = network.session;
  const block = await reader.block();
  const lines = ["hour,region,gramsPerKwh"];
  for (const { id, name } of (await reader.classes(block)).filter((each) => each.name.startsWith("cpu/"))) {
    const { gridIntensity } = await readClassEnergy(reader, block, id);
    for (let hour = Math.floor(block.timestamp / 3600) - 48; hour <= block.timestamp / 3600 + 1; hour += 1) {
      const at = new Date(hour * 3_600_000).toISOString().replace(":00.000Z", "Z");
      lines.push(`${at},${name.split("/")[1] ?? ""},${String((gridIntensity / 1000) * times)}`);
    }
  }
  const file = join(network.directory, "hourly.csv");
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** The name of the agent's process with this operator. */
async function nameOf(operator: string): Promise<string> {
  for (const node of NODES) {
    const { signer } = await network.session.queue({ testAccount: node.operatorAccount });
    if (signer.address === operator) return node.name;
  }
  throw new Error(`nobody has the operator ${operator}`);
}
