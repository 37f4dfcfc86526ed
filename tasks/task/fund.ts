import type { Environment } from "../session/environment.ts";

import { signPermit } from "@verai/client/permit";
import { fundAndSubmit } from "@verai/client/simulate";
import { formatVer } from "@verai/protocol/money/ver";
import { parseAmount } from "../node/parse.ts";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";

/** Adds to what pays for a task's places in rounds; what is left of it goes to the task's owner when the task ends. */
export default async function fund(
  args: WritingArguments & { readonly task: number; readonly amount: string },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const task = await parseTask(reader, await reader.block(), args.task);
    const amount = parseAmount("amount", args.amount);
    context.spends = amount;
    const account = await context.account();
    const { deadline, v, r, s } = await signPermit(contracts, account.signer, amount);
    await fundAndSubmit(session, account, amount, output.log, {
      label: `add ${formatVer(amount)} VER to the round deposit of task ${String(task.id)}`,
      prepare: () => contracts.tasks.fundRoundsWithPermit.populateTransaction(task.id, amount, deadline, v, r, s),
    });
    const after = await parseTask(reader, await reader.block(), task.id);
    output.say(`Task ${String(task.id)} has ${formatVer(after.roundDeposit)} VER for places in rounds now.`);
    return { task: task.id, roundDeposit: after.roundDeposit, added: amount, parked: after.parked };
  });
}
