import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { JsonRpcProvider } from "ethers";

import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { type Processes, ROOT } from "./processes.ts";

/** Hardhat's command line. */
export const HARDHAT = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");

/** A port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
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

/** Parameters that a deployment has in place of those of `ignition/parameters/localhost.json`. */
export type ParameterChanges = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Test accounts that get some ETH beside Hardhat's own 20. */
const MORE_ACCOUNTS = 12;

/**
 * Starts a local chain, simulated as an OP-stack chain, and deploys the protocol with Ignition.
 *
 * Blocks are mined at once while deploying, then every `blockMs`.
 *
 * @param deploymentId Ignition's name for the deployment; what it held before is lost.
 * @param changes Parameters with other values than usual.
 */
export async function startChain(
  processes: Processes,
  blockMs: number,
  deploymentId = "demo",
  changes: ParameterChanges = {},
): Promise<DemoChain> {
  const rpcUrl = await startNode(processes);
  await setMining(rpcUrl, "automatic");
  const parameters = await writeParameters(deploymentId, changes);
  await processes.run("deploy", [...deployArguments(deploymentId, parameters), "--reset"], deployEnvironment(rpcUrl));
  await fundAccounts(rpcUrl);
  await setMining(rpcUrl, blockMs);
  return { rpcUrl, deployment: deploymentFile(deploymentId) };
}

/** The parameters file of a deployment: the usual one where nothing is changed. */
async function writeParameters(deploymentId: string, changes: ParameterChanges): Promise<string> {
  const usual = join("ignition", "parameters", "localhost.json");
  if (Object.keys(changes).length === 0) return usual;
  const { Drmp, ...rest } = JSON.parse(await readFile(join(ROOT, usual), "utf8")) as { Drmp: Record<string, object> };
  for (const [name, change] of Object.entries(changes)) {
    if (!Drmp[name]) throw new Error(`${usual} has no parameter ${name}`);
    Drmp[name] = { ...Drmp[name], ...change };
  }
  const file = join(ROOT, ".data", "parameters", `${deploymentId}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ ...rest, Drmp }));
  return file;
}

async function fundAccounts(rpcUrl: string): Promise<void> {
  const provider = new JsonRpcProvider(rpcUrl, LOCAL_CHAIN_ID, { staticNetwork: true });
  try {
    for (let testAccount = 20; testAccount < 20 + MORE_ACCOUNTS; testAccount++) {
      const { address } = await openSigner({ testAccount }, LOCAL_CHAIN_ID);
      await provider.send("hardhat_setBalance", [address, "0x56bc75e2d63100000"]);
    }
  } finally {
    provider.destroy();
  }
}

/** What Node has to be called with for a local chain. @param port 0: one that is free. */
export function nodeArguments(port: number): string[] {
  return [HARDHAT, "node", "--hostname", "127.0.0.1", "--port", String(port)];
}

/** Starts a local chain with nothing on it, as process "chain". @returns its RPC URL, once it answers. */
export async function startNode(processes: Processes): Promise<string> {
  const { log } = processes.start("chain", nodeArguments(0));
  return processes.watch(["chain"], untilListening(log, LOCAL_CHAIN_ID));
}

/**
 * Waits until a node that chose its port itself, so that it is nobody else's, has logged it and answers.
 *
 * @param log The node's, of this start alone.
 * @returns its RPC URL.
 */
export async function untilListening(log: string, chainId: number): Promise<string> {
  for (;;) {
    const [, port] = /127\.0\.0\.1:([1-9]\d*)/.exec(await readFile(log, "utf8").catch(() => "")) ?? [];
    if (port !== undefined) {
      const url = `http://127.0.0.1:${port}`;
      const provider = new JsonRpcProvider(url, chainId, { staticNetwork: true });
      await untilAnswering(provider);
      provider.destroy();
      return url;
    }
    await delay(100);
  }
}

/** Mines a block for each transaction at once, or one every so many milliseconds. */
export async function setMining(rpcUrl: string, how: "automatic" | number): Promise<void> {
  const provider = new JsonRpcProvider(rpcUrl, LOCAL_CHAIN_ID, { staticNetwork: true });
  try {
    await provider.send("evm_setAutomine", [how === "automatic"]);
    await provider.send("evm_setIntervalMining", [how === "automatic" ? 0 : how]);
  } finally {
    provider.destroy();
  }
}

/** What Node has to be called with to deploy to localhost; run again, it goes on where it was. */
export function deployArguments(deploymentId: string, parameters = "ignition/parameters/localhost.json"): string[] {
  return [
    HARDHAT,
    "ignition",
    "deploy",
    "ignition/modules/Local.ts",
    ...["--network", "localhost"],
    ...["--parameters", parameters],
    ...["--deployment-id", deploymentId],
  ];
}

/** The environment to deploy in: where the chain is, and yes to Ignition's questions. */
export function deployEnvironment(rpcUrl: string): Record<string, string> {
  return {
    DRMP_LOCALHOST_URL: rpcUrl,
    HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "true",
    HARDHAT_IGNITION_CONFIRM_RESET: "true",
  };
}

/** File with the addresses of a deployment. */
export function deploymentFile(deploymentId: string): string {
  return join(ROOT, "ignition", "deployments", deploymentId, "deployed_addresses.json");
}

/** A node that has not answered for so long is taken for one that never will, milliseconds. */
const GIVE_UP_MS = 600_000;

/** Waits until a node answers. @throws What it said last, if it does not within ten minutes. */
async function untilAnswering(provider: JsonRpcProvider): Promise<void> {
  for (const end = performance.now() + GIVE_UP_MS; ;) {
    try {
      await provider.send("eth_chainId", []);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(200);
    }
  }
}
