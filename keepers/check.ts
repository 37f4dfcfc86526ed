import { join } from "node:path";

import { formatEther } from "ethers";

import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { announceFindings, listenFindings, reachFindings } from "@verai/process/check/addresses";
import { connectChecked } from "@verai/process/check/connect";
import { directoryFindings, keyFindings } from "@verai/process/check/files";
import { CheckList, type CheckReport, type Finding } from "@verai/process/check/finding";
import { gasFindings } from "@verai/process/check/money";
import { clashFindings, portsOf, type PortUse, takenFindings } from "@verai/process/check/ports";
import type { KeeperConfig } from "./config.ts";

/** Room that journals and the peer's identity need, bytes. */
const MIN_FREE = 16 * 2 ** 20;

/**
 * Everything of a configuration that can be judged without asking anybody. Pure.
 *
 * @param onInternet Whether agents have to reach this machine over the Internet; by default on every chain but a local one.
 */
export function configFindings(
  config: KeeperConfig,
  onInternet = config.network.chainId !== LOCAL_CHAIN_ID,
): Finding[] {
  const { keepers, reports } = config;
  const findings: Finding[] = [];
  if (keepers.includes("reports")) {
    const listen = { entry: "reports.listen", addresses: reports.listen, onInternet };
    findings.push(
      ...listenFindings(listen),
      ...reachFindings(listen, reports.announce),
      ...announceFindings({ entry: "reports.announce", addresses: reports.announce, onInternet }),
    );
  }
  const twice = keepers.filter((name, i) => keepers.indexOf(name) < i);
  if (twice.length > 0) {
    findings.push({
      level: "error",
      entry: "keepers",
      value: twice.join(", "),
      what: "is named twice, and would pay for everything twice",
      bound: "each keeper once",
      remedy: "remove one",
    });
  }
  return [...findings, ...clashFindings(ports(config))];
}

function ports({ keepers, reports, service }: KeeperConfig): PortUse[] {
  const ports = keepers.includes("reports") ? portsOf("reports.listen", reports.listen) : [];
  return [...ports, { entry: "service.port", host: service.host, port: service.port }];
}

/** Looks at everything that `run` will use, and changes nothing. */
export async function checkKeepers(
  config: KeeperConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckReport> {
  const list = new CheckList();
  const { network, key, finality } = config;
  list.add(...configFindings(config), ...(await takenFindings(ports(config))));
  list.add(...(await directoryFindings("dataDir", config.dataDir, MIN_FREE)));
  const keyProblems = key ? await keyFindings("key", key, network.chainId) : [];
  list.add(...keyProblems);
  const { confirmRpcUrl } = network;
  const session = await connectChecked(list, {
    network,
    fees: config.fees,
    journals: join(config.dataDir, "journals"),
    others: confirmRpcUrl === undefined ? [] : [{ entry: "network.confirmRpcUrl", url: confirmRpcUrl }],
    env,
  });
  if (!session) return list.report;
  const { reader, provider } = session;
  await list.part("network", "a chain that answers", async () => {
    const block = await reader.block();
    list.fact("network", `chain ${String(network.chainId)}, block ${String(block.number)}`);
    if (finality === "latest") return;
    await list.part("finality", `"latest", or a block that the endpoint knows and has the state of`, async () => {
      const settled = await reader.block(finality);
      // Endpoints that have the block may have its state no more: then nothing would ever be found to be overdue there.
      await reader.leaseCount(settled);
      const behind = block.timestamp - settled.timestamp;
      list.fact("finality", `${finality}: block ${String(settled.number)}, ${String(behind)} s behind`);
    });
  });
  if (confirmRpcUrl !== undefined) list.fact("confirm", "a second endpoint also has to see each lease overdue");
  if (!key) list.fact("key", "none: dry run");
  else if (keyProblems.every(({ level }) => level !== "error")) {
    await list.part("key", "an account that pays for gas", async () => {
      const { address } = await openSigner(key, network.chainId);
      const balance = await provider.getBalance(address);
      list.fact("key", `${address}, ${formatEther(balance)} ETH`);
      list.add(...gasFindings("key", address, balance, config.lowFunds));
    });
  }
  session.close();
  return list.report;
}
