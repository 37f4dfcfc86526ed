import type { Environment } from "../session/environment.ts";

import { answer } from "@verai/client/readers";
import { readReportState } from "@verai/client/telemetry";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { formatVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseNode } from "./parse.ts";

/** Pays in advance for the posting of a node's reports by keepers; what is left of an earlier payment comes back. */
export default async function prepay(
  args: WritingArguments & { readonly node: number; readonly reports: number; readonly fee: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    const node = await parseNode(reader, block, args.node);
    const before = await readReportState(reader, block, node.id);
    const whole = BigInt(args.reports) * BigInt(args.fee) * PRICE_UNIT;
    const more = whole - BigInt(before.prepaid) * BigInt(before.fee) * PRICE_UNIT;
    const amount = more > 0n ? more : 0n;
    context.spends = amount;
    const { signer, queue } = await context.account();
    const vault = await contracts.vault.getAddress();
    await queue.submit({
      label: `let the vault take ${formatVer(amount)} VER`,
      prepare: async () => {
        const allowed = await answer(contracts.token.allowance(signer.address, vault));
        return allowed >= amount ? null : contracts.token.approve.populateTransaction(vault, amount);
      },
    });
    await queue.submit({
      label: `prepay ${String(args.reports)} reports of node ${String(node.id)}`,
      prepare: () => contracts.telemetry.prepay.populateTransaction(node.id, args.reports, args.fee),
    });
    const { prepaid, fee } = await readReportState(reader, await reader.block(), node.id);
    output.say(
      `Node ${String(node.id)} has ${String(prepaid)} reports prepaid now, each at ${formatVer(BigInt(fee) * PRICE_UNIT)} VER.`,
    );
    return { node: node.id, prepaid, fee };
  });
}
