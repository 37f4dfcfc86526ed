import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Makes an unbonded node's stake claimable. */
export default async function withdraw(args: StatusArguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await changeStatus(args, hre, "withdraw", (nodes, nodeId) => nodes.withdraw.populateTransaction(nodeId));
}
