import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { checkDeployment, readDeployment } from "../../chain/deployment.ts";
import { openProvider } from "../../chain/provider.ts";
import { deployArguments, deployEnvironment, deploymentFile, setMining, startNode } from "../../scripts/demo/chain.ts";
import { Processes } from "../../scripts/demo/processes.ts";

const ID = "test-resume";
const logs = await mkdtemp(join(tmpdir(), "drmp-deployment-"));
const processes = new Processes(logs);

after(async () => {
  await processes.stop(processes.names(), 5_000);
  await rm(logs, { recursive: true, force: true });
  await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
});

/** Entries of Ignition's journal so far. */
async function journal(): Promise<string> {
  const file = join(dirname(deploymentFile(ID)), "journal.jsonl");
  return existsSync(file) ? readFile(file, "utf8") : "";
}

test("a deployment that is killed half-way goes on where it was", { timeout: 120_000 }, async () => {
  await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
  const rpcUrl = await startNode(processes);
  // Slow enough to be killed in the middle.
  await setMining(rpcUrl, 60);
  const first = processes.start("deploy-1", deployArguments(ID), deployEnvironment(rpcUrl));
  while (!(await journal()).includes("Drmp#NodeRegistry")) {
    assert.equal(first.child.exitCode, null, "the deployment ended before it could be killed");
    await delay(50);
  }
  first.child.kill("SIGKILL");
  await first.exit;
  const addressOf = (text: string) => /"Drmp#VerToken".*?"address":"(0x[0-9a-fA-F]{40})"/.exec(text)?.[1];
  const before = await journal();
  assert.ok(!before.includes("renounceRole"), "there is something left to do");

  await setMining(rpcUrl, "automatic");
  await processes.run("deploy-2", deployArguments(ID), deployEnvironment(rpcUrl));
  const provider = await openProvider(rpcUrl, { chainId: 31337 });
  const deployment = await readDeployment(31337, deploymentFile(ID));
  await checkDeployment(deployment, provider);
  // What was there was not deployed anew.
  assert.equal(addressOf(await journal()), addressOf(before));
  const nonce = await provider.getTransactionCount("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

  await processes.run("deploy-3", deployArguments(ID), deployEnvironment(rpcUrl));
  const after = await provider.getTransactionCount("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  assert.equal(after, nonce, "a finished deployment sends nothing");
  provider.destroy();
});
