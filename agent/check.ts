import { join } from "node:path";

import { formatEther } from "ethers";

import type { Node, NodeClass } from "@verai/client/entities";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { listenAddress } from "@verai/checkpoint-store/transfer/addresses";
import { microToWei } from "@verai/protocol/money/ver";
import {
  announceFindings,
  keeperFindings,
  listenFindings,
  reachFindings,
  readPeerAddress,
} from "@verai/process/check/addresses";
import { connectChecked } from "@verai/process/check/connect";
import { directoryFindings, keyFindings } from "@verai/process/check/files";
import { CheckList, type CheckReport, type Finding } from "@verai/process/check/finding";
import { gasFindings } from "@verai/process/check/money";
import { clashFindings, portsOf, type PortUse, takenFindings } from "@verai/process/check/ports";
import { createLogger } from "@verai/process/logger";
import { offerFindings, registeredFindings } from "./check-offer.ts";
import type { AgentConfig } from "./config.ts";
import { chooseExecutor, openExecutor } from "./executor.ts";
import { openMeter } from "./telemetry/open.ts";

const MIB = 2 ** 20;

/**
 * Everything of a configuration that can be judged without asking anybody. Pure.
 *
 * @param onInternet Whether peers have to reach this machine over the Internet; by default on every chain but a local one.
 */
export function configFindings(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
  onInternet = config.network.chainId !== LOCAL_CHAIN_ID,
): Finding[] {
  const { store, telemetry, node } = config;
  const listen = { entry: "store.listen", addresses: store.listen, onInternet };
  const findings = [
    ...listenFindings(listen),
    ...reachFindings(listen, store.announce),
    ...announceFindings({ entry: "store.announce", addresses: store.announce, onInternet }),
    ...keeperFindings("telemetry.keepers", telemetry.keepers),
    ...engineFindings(config, env),
  ];
  if (store.http !== false) {
    const { listen: at, announce = [] } = store.http;
    if (at !== undefined)
      findings.push(
        ...listenFindings({ entry: "store.http.listen", addresses: [at] }),
        ...formFindings("store.http.listen", [at]),
      );
    findings.push(
      ...announceFindings({ entry: "store.http.announce", addresses: announce, onInternet }),
      ...formFindings("store.http.announce", announce),
    );
  }
  findings.push(...clashFindings(ports(config)));
  if (node.powerThreshold > node.powerMax) {
    findings.push({
      level: "warning",
      entry: "node.powerThreshold",
      value: `${String(node.powerThreshold)} W`,
      what: "is above the machine's maximum power, so that it never throttles",
      bound: `at most node.powerMax, ${String(node.powerMax)} W`,
      remedy: "lower it, or raise node.powerMax",
    });
  }
  const { maxCheckpoint, maxBytes } = store;
  if (maxCheckpoint > maxBytes) {
    findings.push({
      level: "error",
      entry: "store.maxCheckpoint",
      value: `${String(maxCheckpoint)} bytes`,
      what: "does not fit into the store",
      bound: `at most store.maxBytes, ${String(maxBytes)} bytes`,
      remedy: "lower it, or raise store.maxBytes",
    });
  }
  return findings;
}

/** Ports that the process listens on. Addresses that cannot be read are judged elsewhere. */
function ports({ store, service, door }: AgentConfig): PortUse[] {
  const uses = [...portsOf("store.listen", store.listen)];
  const readable = store.listen.every((text) => typeof readPeerAddress(text) !== "string");
  if (store.http !== false && readable) {
    try {
      const { host, port } = listenAddress(store.http.listen, store.listen);
      uses.push({
        entry: store.http.listen === undefined ? "store.http (the port above store.listen's)" : "store.http.listen",
        host,
        port,
      });
    } catch {
      // Its form is a finding already.
    }
  }
  if (door) uses.push({ entry: "door.port", host: door.host, port: door.port });
  return [...uses, { entry: "service.port", host: service.host, port: service.port }];
}

/** Addresses for HTTP end with /http. */
function formFindings(entry: string, addresses: readonly string[]): Finding[] {
  return addresses.flatMap((text): Finding[] => {
    const read = readPeerAddress(text);
    if (typeof read === "string" || read.http) return [];
    return [
      {
        level: "error",
        entry,
        value: text,
        what: "is no address for HTTP",
        bound: "a multiaddr such as /ip4/198.51.100.7/tcp/4002/http",
        remedy: "append /http",
      },
    ];
  });
}

/** Where the container engine is looked for, if that is not where the environment says. */
function engineFindings(config: AgentConfig, env: Readonly<Record<string, string | undefined>>): Finding[] {
  const chosen = chooseExecutor(config);
  if (chosen.kind !== "container") return [];
  const name = ["DOCKER_HOST", "CONTAINER_HOST"].find((one) => (env[one] ?? "") !== "");
  const told = name === undefined ? undefined : env[name];
  if (name === undefined || told === undefined) return [];
  const about = { entry: name, value: told };
  if (chosen.socket !== undefined) {
    if (told === `unix://${chosen.socket}`) return [];
    return [
      {
        ...about,
        level: "warning",
        what: `is not used: executor.socket is ${chosen.socket}`,
        bound: "the same socket, or unset",
        remedy: "nothing, if executor.socket is the right one",
      },
    ];
  }
  if (told.startsWith("unix:///")) return [];
  return [
    {
      ...about,
      level: "error",
      what: "names an engine that is no socket of this machine, whose directories units need",
      bound: "unix:///path/of/the/socket, or unset",
      remedy: "unset it, or name the local engine's socket as executor.socket",
    },
  ];
}

/** Looks at everything that `run` will use, and changes nothing. */
export async function checkAgent(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckReport> {
  const list = new CheckList();
  const { chainId } = config.network;
  list.add(...configFindings(config, env), ...(await takenFindings(ports(config))));
  list.add(...(await directoryFindings("dataDir", config.dataDir, config.minFree * MIB)));
  const operatorKey = await keyFindings("operator", config.operator, chainId);
  const ownerKey = config.owner ? await keyFindings("owner", config.owner, chainId) : [];
  list.add(...operatorKey, ...ownerKey);
  const usable = (findings: readonly Finding[]) => findings.every(({ level }) => level !== "error");
  const session = await connectChecked(list, {
    network: config.network,
    fees: config.fees,
    journals: join(config.dataDir, "journals"),
    env,
  });
  if (session) {
    const operator = usable(operatorKey) ? (await openSigner(config.operator, chainId)).address : undefined;
    const owner = config.owner && usable(ownerKey) ? (await openSigner(config.owner, chainId)).address : undefined;
    await list.part("network", "a chain that answers", () => chainFindings(list, session, config, operator, owner));
    session.close();
  }
  await list.part("executor", "an engine that can run units", async () => {
    const executor = await openExecutor(config, createLogger("agent", "silent"));
    try {
      list.fact("executor", executor.name);
      for (const notice of (await executor.probe?.()) ?? []) list.fact("executor", notice);
    } finally {
      await executor.close();
    }
  });
  await list.part("power", "meters that can be read", async () => {
    const meter = await openMeter(config, createLogger("agent", "silent"));
    list.fact("energy", `${meter.method}: ${meter.source}`);
    meter.close();
  });
  return list.report;
}

async function chainFindings(
  list: CheckList,
  session: Session,
  config: AgentConfig,
  operator: string | undefined,
  owner: string | undefined,
): Promise<void> {
  const { reader, provider, contracts } = session;
  const block = await reader.block();
  list.fact("network", `chain ${String(config.network.chainId)}, block ${String(block.number)}`);
  const classes = await reader.classes(block);
  list.add(...offerFindings(config.node, classes));
  if (typeof config.node.ask !== "string" && !config.owner) {
    list.add({
      level: "error",
      entry: "node.ask.follow",
      value: config.node.ask.follow,
      what: "an ask cannot follow the market without the owner's key, which alone may change it",
      bound: "`owner`, or an amount as the ask",
      remedy: "name the owner's key in `owner`, or write an amount",
    });
  }
  if (operator === undefined) return;
  const nodeId = await reader.nodeOfOperator(block, operator);
  const balance = await provider.getBalance(operator);
  list.fact("operator", `${operator}, ${formatEther(balance)} ETH`);
  list.add(...gasFindings("operator", operator, balance, config.lowFunds));
  if (nodeId !== undefined) {
    const node = await reader.node(block, nodeId);
    list.fact("node", String(nodeId));
    if (node) list.add(...nodeFindings(config, node, classes, operator, owner));
    return;
  }
  list.fact("node", "not registered");
  if (!config.owner) {
    list.add({
      level: "error",
      entry: "owner",
      value: "",
      what: `no node is registered for the operator ${operator}, and the owner's key is not at hand to register it`,
      bound: "the owner's key, or a registered node",
      remedy: "run `npx hardhat node:register`, or name the owner's key",
    });
    return;
  }
  if (owner === undefined) return;
  const { stakePerUnit } = await reader.parameters(block);
  const needed = BigInt(config.node.capacity) * microToWei(stakePerUnit);
  const [held, ownerEth, drip] = await Promise.all([
    answer(contracts.token.balanceOf(owner)),
    provider.getBalance(owner),
    contracts.faucet ? answer(contracts.faucet.DRIP()) : 0n,
  ]);
  list.fact("owner", `${owner}, ${formatEther(ownerEth)} ETH, ${formatEther(held)} VER`);
  list.add(...gasFindings("owner", owner, ownerEth, "0.0001"));
  if (held + drip < needed) {
    list.add({
      level: "error",
      entry: "node.capacity",
      value: `${String(config.node.capacity)} units`,
      what: `needs a stake of ${formatEther(needed)} VER, and ${owner} holds ${formatEther(held)} VER`,
      bound: `at most ${String((held + drip) / microToWei(stakePerUnit))} units with ${drip > 0n ? `that and the faucet's ${formatEther(drip)} VER a day` : "that"}`,
      remedy: `lower the capacity, or get ${formatEther(needed - held)} VER more`,
    });
  }
}

function nodeFindings(
  config: AgentConfig,
  node: Node,
  classes: readonly NodeClass[],
  operator: string,
  owner: string | undefined,
): Finding[] {
  if (owner !== undefined && node.owner !== owner) {
    return [
      {
        level: "error",
        entry: "operator",
        value: operator,
        what: `node ${String(node.id)}, which names it, belongs to ${node.owner} and not to the owner's key ${owner}`,
        bound: "the operator of the owner's own node",
        remedy: "use another operator key, or the key of that owner",
      },
    ];
  }
  return registeredFindings(config.node, node, classes);
}
