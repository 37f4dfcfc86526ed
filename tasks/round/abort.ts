import type { Environment } from "../session/environment.ts";

import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";

/** Aborts the open round; its tasks keep their places. */
export default async function abort(args: WritingArguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { reader, contracts } = context.session;
    const { queue } = await context.account();
    await queue.submit({ label: "abort a round", prepare: () => contracts.rounds.abort.populateTransaction() });
    const round = await reader.round(await reader.block());
    context.output.say(`Round ${String(round.id)} is ${round.status}.`);
    return { round: round.id, status: round.status };
  });
}
