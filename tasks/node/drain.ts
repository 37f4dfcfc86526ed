import type { Environment } from "../session/environment.ts";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Takes no new leases from now on. */
export default async function drain(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "drain", (nodes, nodeId) => nodes.drain.populateTransaction(nodeId));
}
