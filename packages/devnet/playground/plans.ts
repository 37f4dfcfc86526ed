import { findPython } from "./python.ts";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { nodeArguments } from "../chain.ts";
import type { Configs } from "../configs.ts";
import { DEVNET_ACCOUNTS, DEVNET_NODES, type DevnetNode } from "./accounts.ts";
import type { EngineHere } from "./engine.ts";
import type { PortPlan } from "./ports.ts";
import { chainHealth, healthOf, type ServicePlan } from "./services.ts";

/** Bounds that no session at a desk reaches: the local chain's gas costs nothing. */
export const FEES = { maxFeePerGas: "100", stuckAfter: 30, perHour: "100" } as const;

/** Where the devnet is. */
interface Place {
  readonly rpcUrl: string;
  /** File with the deployed addresses. */
  readonly deployment: string;
  readonly ports: PortPlan;
}

/** The chain, a block a second. */
export function chainPlan({ chain }: PortPlan): ServicePlan {
  const address = `http://127.0.0.1:${String(chain)}`;
  return {
    name: "chain",
    kind: "chain",
    what: `simulated OP stack, chain id ${String(LOCAL_CHAIN_ID)}, a block a second`,
    address,
    args: nodeArguments(chain),
    check: () => chainHealth(address),
  };
}

/** What answers in place of Chainlink VRF. It has no port: that it runs is all that can be seen. */
export function oraclePlan({ rpcUrl, deployment }: Place): ServicePlan {
  const account = ["--account", String(DEVNET_ACCOUNTS.oracle)];
  return {
    name: "oracle",
    kind: "oracle",
    what: "answers requests for seeds, as Chainlink VRF does on BASE",
    address: "",
    args: [
      "packages/devnet/vrf-fulfiller.ts",
      ...["--rpc", rpcUrl, "--deployment", deployment, ...account, "--blocks", "1"],
    ],
  };
}

/** The keeper, with everything that keepers do. */
export async function keeperPlan({ ports }: Place, configs: Configs): Promise<ServicePlan> {
  const config = await configs.keeper(2, {
    fees: FEES,
    key: { testAccount: DEVNET_ACCOUNTS.keeper },
    keepers: ["allocation", "failover", "reports", "balancing", "audits"],
    service: { port: ports.keeper },
  });
  return {
    name: "keeper",
    kind: "keeper",
    what: "opens and settles rounds, expires leases, posts reports, balances loads",
    ...served(ports.keeper),
    args: ["keepers/main.ts", "run", "--config", config],
  };
}

/** What serves history to people and web pages. */
export async function indexerPlan({ ports }: Place, configs: Configs): Promise<ServicePlan> {
  const config = await configs.indexer({ api: { port: ports.history }, service: { port: ports.indexer } });
  const address = `http://127.0.0.1:${String(ports.history)}`;
  return {
    name: "indexer",
    kind: "indexer",
    what: "serves history: /openapi.json says how",
    address,
    args: ["indexer/main.ts", "run", "--config", config],
    check: () => healthOf(`${address}/ready`),
  };
}

/** The web application, built first if its sources have changed. */
export async function webPlan({ rpcUrl, deployment, ports }: Place, configs: Configs): Promise<ServicePlan> {
  const indexerUrl = `http://127.0.0.1:${String(ports.history)}`;
  const relayUrl = `http://127.0.0.1:${String(ports.relay)}`;
  const config = await configs.web({
    network: "devnet",
    chainId: LOCAL_CHAIN_ID,
    rpcUrl,
    indexerUrl,
    relayUrl,
    doorUrls: [`http://127.0.0.1:${String(ports.node(0).door)}`],
    deployment,
  });
  // Passkeys belong to a name, which an address of numbers is not.
  const address = `http://localhost:${String(ports.web)}/`;
  return {
    name: "web",
    kind: "web",
    what: "shows the network in a browser",
    address,
    args: ["web/server/main.ts", "--config", config, "--port", String(ports.web)],
    check: () => healthOf(address),
  };
}

/** What pays the gas of passkey accounts, with limits that nobody at a desk reaches. */
export async function sponsorPlan({ ports }: Place, configs: Configs): Promise<ServicePlan> {
  const config = await configs.sponsor(DEVNET_ACCOUNTS.sponsor, {
    fees: FEES,
    limits: {
      ...{ perOperation: "0.01", perAccountDay: "0.1", perClientDay: "0.5", perDay: "1" },
      ...{ newAccounts: 100, failures: 20 },
    },
    api: { port: ports.relay },
    service: { port: ports.sponsor },
  });
  return {
    name: "sponsor",
    kind: "sponsor",
    what: "pays the gas of passkey accounts: /status says how much",
    address: `http://127.0.0.1:${String(ports.relay)}`,
    args: ["sponsor/main.ts", "run", "--config", config],
    check: () => healthOf(`http://127.0.0.1:${String(ports.sponsor)}/health`),
  };
}

/** A node; one that is to run other people's images does so where there is an engine. */
export async function nodePlan(
  { ports }: Place,
  configs: Configs,
  node: DevnetNode,
  { engine, trainerImage }: EngineHere,
): Promise<ServicePlan> {
  const place = DEVNET_NODES.indexOf(node);
  const { service, peers, door } = ports.node(place);
  const contained = node.containers && engine !== undefined;
  const image = trainerImage === undefined ? {} : { trainerImage };
  const config = await configs.agent(node, {
    fees: FEES,
    store: { listen: [`/ip4/127.0.0.1/tcp/${String(peers)}`] },
    service: { port: service },
    // The first has a door, which the web application asks.
    ...(place === 0 && { door: { port: door, specsPerHour: 1_000 } }),
    executor: contained ? { kind: "container", ...image } : { kind: "process", ...(await ownPrograms()) },
  });
  const runs = contained ? `images in ${engine}` : "built-in trainers, and your Python scripts";
  return {
    name: node.name,
    kind: "node",
    what: `${node.class}, ${String(node.capacity)} units at ${node.ask} VER, runs ${runs}`,
    ...served(service),
    ...(place === 0 && { door: `http://127.0.0.1:${String(door)}` }),
    args: ["agent/main.ts", "run", "--config", config],
  };
}

/** Scripts of this machine's own user are run as they are: all on it is theirs. */
async function ownPrograms(): Promise<object> {
  const interpreter = await findPython();
  return interpreter === undefined ? {} : { unsafeTrainersWithoutContainer: { python: { interpreter } } };
}

function served(port: number): Pick<ServicePlan, "address" | "check"> {
  const address = `http://127.0.0.1:${String(port)}`;
  return { address, check: () => healthOf(`${address}/health`) };
}
