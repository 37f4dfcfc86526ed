import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { ensureBalance } from "../../chain/balance.ts";
import { answer } from "../../chain/readers.ts";
import { formatVer } from "../../protocol/money/ver.ts";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { givenAmount, givenNode } from "./given.ts";

/** Adds stake to a node, which may be somebody else's. */
export default async function stake(
  args: WritingArguments & { readonly node: number; readonly amount: string },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await write(args, hre, async (context) => {
    const { session, screen } = context;
    const { reader, contracts } = session;
    const node = await givenNode(reader, await reader.pin(), args.node);
    const amount = givenAmount("amount", args.amount);
    const { signer, lane } = await context.account();
    await ensureBalance(session, { signer, lane }, amount, { info: (_fields, message) => screen.say(message) });
    const vault = await contracts.vault.getAddress();
    await lane.submit({
      label: `allow the vault to take ${formatVer(amount)} VER`,
      prepare: async () =>
        (await answer(contracts.token.allowance(signer.address, vault))) >= amount
          ? null
          : contracts.token.approve.populateTransaction(vault, amount),
    });
    context.spends = amount;
    await lane.submit({
      label: `add ${formatVer(amount)} VER to the stake of node ${String(node.id)}`,
      prepare: () => contracts.nodes.addStake.populateTransaction(node.id, amount),
    });
    const after = await reader.node(await reader.pin(), node.id);
    screen.say(`The stake of node ${String(node.id)} is ${formatVer(after?.stake ?? 0n)} VER now.`);
    return { node: node.id, stake: after?.stake };
  });
}
