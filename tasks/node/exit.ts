import type { Environment } from "../session/environment.ts";

import { changeStatus, type StatusArguments } from "./status-change.ts";

/** Leaves the market. */
export default async function exit(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "exit", (nodes, nodeId) => nodes.exit.populateTransaction(nodeId));
}
