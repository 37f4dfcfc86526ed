import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Takes no new leases from now on. */
export default async function drain(args: StatusArguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await changeStatus(args, hre, "drain", (nodes, nodeId) => nodes.drain.populateTransaction(nodeId));
}
