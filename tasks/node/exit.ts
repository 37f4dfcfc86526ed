import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Leaves the market. */
export default async function exit(args: StatusArguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await changeStatus(args, hre, "exit", (nodes, nodeId) => nodes.exit.populateTransaction(nodeId));
}
