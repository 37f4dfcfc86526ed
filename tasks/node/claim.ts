import type { Environment } from "../session/environment.ts";

import { answer } from "@verai/client/readers";
import { formatVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseAddress } from "./parse.ts";

/** Sends what the signing account can claim. */
export default async function claim(
  args: WritingArguments & { readonly receiver: string },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { vault } = context.session.contracts;
    const { signer, queue } = await context.account();
    const receiver = args.receiver === "" ? signer.address : parseAddress("receiver", args.receiver);
    let amount = 0n;
    await queue.submit({
      label: "claim",
      prepare: async () => {
        amount = await answer(vault.claimable(signer.address));
        if (amount > 0n) context.output.say(`${signer.address} can claim ${formatVer(amount)} VER`);
        return amount === 0n ? null : vault.claim.populateTransaction(receiver);
      },
    });
    context.output.say(
      amount === 0n ? `${signer.address} has nothing to claim.` : `${formatVer(amount)} VER sent to ${receiver}.`,
    );
    return { account: signer.address, receiver, amount };
  });
}
