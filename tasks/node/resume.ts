import type { Environment } from "../session/environment.ts";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Takes leases again. */
export default async function resume(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "resume", (nodes, nodeId) => nodes.resume.populateTransaction(nodeId));
}
