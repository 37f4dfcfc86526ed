import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

import { parseEther, toQuantity } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { checkDeployment } from "@verai/client/deployment";
import { readDeployment } from "@verai/client/deployment-file";
import { openProvider } from "@verai/client/provider";
import { deployArguments, deployEnvironment, deploymentFile, HARDHAT, setMining, startNode } from "@verai/devnet/chain";
import { Processes } from "@verai/devnet/processes";

const ID = "test-resume";
const logs = await mkdtemp(join(tmpdir(), "drmp-deployment-"));
const processes = new Processes(logs);

after(async () => {
  await processes.stop(processes.names(), 5_000);
  await rm(logs, { recursive: true, force: true });
  await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
});

const DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

test("a deployment that ran out of ETH half-way goes on where it was", { timeout: 1_800_000 }, async () => {
  await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
  const rpcUrl = await startNode(processes);
  await setMining(rpcUrl, "automatic");
  const provider = await openProvider(rpcUrl, { chainId: LOCAL_CHAIN_ID });
  const deploy = (name: string) => processes.run(name, deployArguments(ID), deployEnvironment(rpcUrl));

  // Enough for gas, too little for what the oracle's subscription is funded with.
  await provider.send("hardhat_setBalance", [DEPLOYER, toQuantity(parseEther("50"))]);
  await assert.rejects(deploy("deploy-1"), /fundSubscriptionWithNative|insufficient|balance|funds/i);
  const before = JSON.parse(await readFile(deploymentFile(ID), "utf8")) as Record<string, string>;
  assert.ok("Drmp#VerToken" in before && !("Drmp#RoundManager" in before), Object.keys(before).join(", "));

  await provider.send("hardhat_setBalance", [DEPLOYER, toQuantity(parseEther("500"))]);
  // Ignition cannot know whether the transaction that failed was sent after all; it was not, so it is to forget it.
  await processes.run("wipe", [
    HARDHAT,
    "ignition",
    "wipe",
    ID,
    "Drmp#VRFCoordinatorV2_5Mock.fundSubscriptionWithNative",
  ]);
  await deploy("deploy-2");
  const deployment = await readDeployment(LOCAL_CHAIN_ID, deploymentFile(ID));
  await checkDeployment(deployment, provider);
  assert.equal(deployment.addresses.VerToken, before["Drmp#VerToken"], "what was deployed is not deployed again");

  const nonce = await provider.getTransactionCount(DEPLOYER);
  await deploy("deploy-3");
  assert.equal(await provider.getTransactionCount(DEPLOYER), nonce, "a finished deployment sends nothing");
  provider.destroy();
});
