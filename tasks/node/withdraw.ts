import type { Environment } from "../session/environment.ts";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Makes an unbonded node's stake claimable. */
export default async function withdraw(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "withdraw", (nodes, nodeId) => nodes.withdraw.populateTransaction(nodeId));
}
