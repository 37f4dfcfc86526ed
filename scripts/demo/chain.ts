import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { JsonRpcProvider } from "ethers";

import { LOCAL_CHAIN_ID } from "../../chain/provider.ts";
import { type Processes, ROOT } from "./processes.ts";

const HARDHAT = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");

/** A port of the loopback interface that is free now. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address && typeof address === "object") resolve(address.port);
        else reject(new Error("no free port on 127.0.0.1"));
      });
    });
  });
}

/** A local chain with the protocol on it. */
export interface DemoChain {
  readonly rpcUrl: string;
  /** File with the deployed addresses. */
  readonly deployment: string;
}

/**
 * Starts a local chain, simulated as an OP-stack chain, and deploys the protocol with Ignition.
 *
 * Blocks are mined at once while deploying, then every `blockMs`.
 *
 * @param deploymentId Ignition's name for the deployment; what it held before is lost.
 */
export async function startChain(processes: Processes, blockMs: number, deploymentId = "demo"): Promise<DemoChain> {
  const port = await freePort();
  const rpcUrl = `http://127.0.0.1:${String(port)}`;
  processes.start("chain", [HARDHAT, "node", "--hostname", "127.0.0.1", "--port", String(port)]);
  const provider = new JsonRpcProvider(rpcUrl, LOCAL_CHAIN_ID, { staticNetwork: true });
  try {
    await processes.watch(["chain"], untilAnswering(provider));
    await provider.send("evm_setAutomine", [true]);
    await processes.run(
      "deploy",
      [
        HARDHAT,
        "ignition",
        "deploy",
        "ignition/modules/Local.ts",
        ...["--network", "localhost"],
        ...["--parameters", "ignition/parameters/localhost.json"],
        ...["--deployment-id", deploymentId],
        ...["--build-profile", "default"],
        "--reset",
      ],
      {
        DRMP_LOCALHOST_URL: rpcUrl,
        HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "true",
        HARDHAT_IGNITION_CONFIRM_RESET: "true",
      },
    );
    await provider.send("evm_setAutomine", [false]);
    await provider.send("evm_setIntervalMining", [blockMs]);
  } finally {
    provider.destroy();
  }
  return { rpcUrl, deployment: join(ROOT, "ignition", "deployments", deploymentId, "deployed_addresses.json") };
}

async function untilAnswering(provider: JsonRpcProvider): Promise<void> {
  for (;;) {
    try {
      await provider.send("eth_chainId", []);
      return;
    } catch {
      await delay(200);
    }
  }
}
