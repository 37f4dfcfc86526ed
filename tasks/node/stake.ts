import type { Environment } from "../session/environment.ts";

import { signPermit } from "@verai/client/permit";
import { fundAndSubmit } from "@verai/client/simulate";
import { formatVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseAmount, parseNode } from "./parse.ts";

/** Adds stake to a node, which may be somebody else's, in one transaction: the vault is allowed to take it by permit. */
export default async function stake(
  args: WritingArguments & { readonly node: number; readonly amount: string },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const node = await parseNode(reader, await reader.block(), args.node);
    const amount = parseAmount("amount", args.amount);
    context.spends = amount;
    const account = await context.account();
    const { deadline, v, r, s } = await signPermit(contracts, account.signer, amount);
    await fundAndSubmit(session, account, amount, output.log, {
      label: `add ${formatVer(amount)} VER to the stake of node ${String(node.id)}`,
      prepare: () => contracts.nodes.addStakeWithPermit.populateTransaction(node.id, amount, deadline, v, r, s),
    });
    const after = await reader.node(await reader.block(), node.id);
    output.say(`The stake of node ${String(node.id)} is ${formatVer(after?.stake ?? 0n)} VER now.`);
    return { node: node.id, stake: after?.stake };
  });
}
