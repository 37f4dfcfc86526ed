import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { checkDeployment, connect, readDeployment } from "../../chain/deployment.ts";
import { Reader } from "../../chain/readers.ts";
import { collectEnergy } from "./collect.ts";
import { printEnergy } from "./print.ts";

/** Options of `npx hardhat energy:report`; numbers are 0 and texts empty where they were left out. */
export interface ReportOptions {
  readonly node: number;
  readonly task: number;
  readonly deployment: string;
  readonly json: boolean;
}

/** Prints the energy and carbon of the network, of a node, or of a task. */
export default async function report(options: ReportOptions, hre: HardhatRuntimeEnvironment): Promise<void> {
  if (options.node > 0 && options.task > 0) {
    throw new Error("Ask for a node or for a task, not for both: leave --node or --task out.");
  }
  const connection = await hre.network.create();
  try {
    const provider = connection.ethers.provider;
    const { chainId } = await provider.getNetwork();
    const file = options.deployment === "" ? undefined : options.deployment;
    const deployment = await readDeployment(Number(chainId), file);
    await checkDeployment(deployment, provider);
    const reader = new Reader(connect(deployment, provider));
    const scope = options.task > 0 ? "task" : options.node > 0 ? "node" : "network";
    const collected = await collectEnergy(reader, await reader.pin(), scope, options.task || options.node);
    process.stdout.write(options.json ? `${JSON.stringify(collected)}\n` : `${printEnergy(collected)}\n`);
  } finally {
    await connection.close();
  }
}
