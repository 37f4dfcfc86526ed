import type { Environment } from "../session/environment.ts";

import { ChainError } from "@verai/client/errors";
import { signPermit } from "@verai/client/permit";
import { answer, blockTag } from "@verai/client/readers";
import { fundAndSubmit } from "@verai/client/simulate";
import { formatVer, weiToMicro } from "@verai/protocol/money/ver";
import { parseAmount } from "../node/parse.ts";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";

/** Raises the maximum price of a task that waits: it keeps its place, and pays no second submission fee. */
export default async function raisePrice(
  args: WritingArguments & { readonly task: number; readonly maxPrice: string },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    const task = await parseTask(reader, block, args.task);
    const maxPrice = parseAmount("max-price", args.maxPrice);
    // Off the grid, or too high: the message names the nearest prices.
    weiToMicro(maxPrice);
    if (maxPrice <= task.maxPrice) {
      throw new ChainError(
        "PRICE_NOT_RAISED",
        false,
        `The maximum price of task ${String(task.id)} is ${formatVer(task.maxPrice)} VER, and ${formatVer(maxPrice)} VER is not higher: name a higher one with --max-price.`,
      );
    }
    const needed = await answer(contracts.tasks.depositToRaise(task.id, maxPrice, blockTag(block)));
    context.spends = needed;
    const account = await context.account();
    const { deadline, v, r, s } = await signPermit(contracts, account.signer, needed);
    await fundAndSubmit(session, account, needed, output.log, {
      label: `raise the maximum price of task ${String(task.id)} from ${formatVer(task.maxPrice)} to ${formatVer(maxPrice)} VER a unit`,
      prepare: () => contracts.tasks.raisePriceWithPermit.populateTransaction(task.id, maxPrice, deadline, v, r, s),
    });
    const after = await parseTask(reader, await reader.block(), task.id);
    output.say(
      `Task ${String(task.id)} pays up to ${formatVer(after.maxPrice)} VER a unit now; ${formatVer(needed)} VER more are in escrow.`,
    );
    return { task: task.id, maxPrice: after.maxPrice, escrow: after.escrow, added: needed };
  });
}
