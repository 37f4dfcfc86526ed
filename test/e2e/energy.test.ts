import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

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
}

/** The name of the agent's process with this operator. */
async function nameOf(operator: string): Promise<string> {
  for (const node of NODES) {
    const { signer } = await network.session.queue({ testAccount: node.operatorAccount });
    if (signer.address === operator) return node.name;
  }
  throw new Error(`nobody has the operator ${operator}`);
}
