import type { ContractTransaction } from "ethers";
import type { Environment } from "../session/environment.ts";

import type { Contracts } from "@verai/client/deployment";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseNode } from "./parse.ts";

/** Arguments of the tasks that change a node's status. */
export interface StatusArguments extends WritingArguments {
  readonly node: number;
}

/** Sends one call about a node and says what the node is after it. */
export async function changeStatus(
  args: StatusArguments,
  environment: Environment,
  label: string,
  call: (nodes: Contracts["nodes"], nodeId: number) => Promise<ContractTransaction>,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { reader, contracts } = context.session;
    const { id } = await parseNode(reader, await reader.block(), args.node);
    const { queue } = await context.account();
    await queue.submit({ label: `${label} node ${String(id)}`, prepare: () => call(contracts.nodes, id) });
    const after = await parseNode(reader, await reader.block(), id);
    const from = new Date(after.withdrawableAt * 1000).toISOString();
    context.output.say(
      `Node ${String(id)} is ${after.status}${after.status === "unbonding" ? `; its stake can be withdrawn from ${from}` : ""}.`,
    );
    return { node: id, status: after.status, withdrawableAt: after.withdrawableAt };
  });
}
