import type { ContractTransaction } from "ethers";
import type { Environment } from "../session/environment.ts";

import type { Contracts } from "@verai/client/deployment";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseNode } from "./parse.ts";

/** Arguments of the tasks that change a node's status. */
interface StatusArguments extends WritingArguments {
  readonly node: number;
}

/** Takes no new leases from now on. */
export async function drain(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "drain", (nodes, nodeId) => nodes.drain.populateTransaction(nodeId));
}

/** Takes leases again. */
export async function resume(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "resume", (nodes, nodeId) => nodes.resume.populateTransaction(nodeId));
}

/** Leaves the market. */
export async function exit(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "exit", (nodes, nodeId) => nodes.exit.populateTransaction(nodeId));
}

/** Makes an unbonded node's stake claimable. */
export async function withdraw(args: StatusArguments, environment: Environment): Promise<void> {
  await changeStatus(args, environment, "withdraw", (nodes, nodeId) => nodes.withdraw.populateTransaction(nodeId));
}

/** Sends one call about a node and says what the node is after it. */
async function changeStatus(
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
