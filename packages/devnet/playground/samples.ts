import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { ROOT } from "../processes.ts";
import { DEVNET_ACCOUNTS, DEVNET_NODES, SAMPLE_SPEC } from "./accounts.ts";
import { OWN_NODE } from "./next-steps.ts";
import type { PortPlan } from "./ports.ts";

/**
 * Writes what the commands to try next name: the sample spec, and the configuration of a node of one's own.
 *
 * @param reports Where the keeper takes reports.
 * @returns Paths as they are typed in the repository.
 */
export async function writeSamples(
  folder: string,
  rpcUrl: string,
  ports: PortPlan,
  reports: string | undefined,
): Promise<{ spec: string; agent: string; results: string }> {
  const { service, peers } = ports.node(DEVNET_NODES.length);
  const { class: name, capacity, ask, energySource } = OWN_NODE;
  const spec = join(folder, "spec.json");
  const agent = join(folder, "agent.json");
  await write(spec, SAMPLE_SPEC);
  await write(agent, {
    network: { rpcUrl, chainId: LOCAL_CHAIN_ID },
    operator: { testAccount: DEVNET_ACCOUNTS.operator },
    dataDir: join(folder, "data", "own-node"),
    node: { class: name, capacity, ask, powerThreshold: 300, powerMax: 1000, energySource },
    store: { listen: [`/ip4/127.0.0.1/tcp/${String(peers)}`] },
    telemetry: { keepers: reports === undefined ? [] : [reports] },
    executor: { kind: "process" },
    interval: 1,
    service: { port: service },
  });
  return { spec: typed(spec), agent: typed(agent), results: typed(join(folder, "results")) };
}

async function write(file: string, content: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** A path as it is typed in the repository. */
function typed(path: string): string {
  const inside = relative(ROOT, path);
  return inside.startsWith("..") ? path : inside;
}
