import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Takes leases again. */
export default async function resume(args: StatusArguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await changeStatus(args, hre, "resume", (nodes, nodeId) => nodes.resume.populateTransaction(nodeId));
}
