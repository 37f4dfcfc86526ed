import type { Environment } from "../session/environment.ts";

import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";

/** Cancels what is not leased. */
export default async function cancel(
  args: WritingArguments & { readonly task: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { reader, contracts } = context.session;
    const before = await parseTask(reader, await reader.block(), args.task);
    const { queue } = await context.account();
    await queue.submit({
      label: `cancel task ${String(before.id)}`,
      prepare: () => contracts.tasks.cancel.populateTransaction(before.id),
    });
    const after = await parseTask(reader, await reader.block(), args.task);
    context.output.say(
      after.leasedUnits > 0
        ? `${String(after.refundedUnits)} units are refunded; ${String(after.leasedUnits)} leased ones go on and are paid.`
        : `${String(after.refundedUnits)} units are refunded. \`npx hardhat node:claim\` sends you what came back.`,
    );
    return { task: after.id, status: after.status, refunded: after.refundedUnits, leased: after.leasedUnits };
  });
}
