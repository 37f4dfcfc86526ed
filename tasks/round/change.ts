import type { ContractTransaction } from "ethers";

import type { Contracts } from "@verai/client/deployment";
import { write } from "../session/context.ts";
import type { Environment } from "../session/environment.ts";
import type { WritingArguments } from "../session/options.ts";

/** Opens a round. */
export async function open(args: WritingArguments, environment: Environment): Promise<void> {
  await change(args, environment, "open a round", (rounds) => rounds.open.populateTransaction());
}

/** Aborts the open round; its tasks keep their places. */
export async function abort(args: WritingArguments, environment: Environment): Promise<void> {
  await change(args, environment, "abort a round", (rounds) => rounds.abort.populateTransaction());
}

/** Sends one call about the round and says what the round is after it. */
async function change(
  args: WritingArguments,
  environment: Environment,
  label: string,
  call: (rounds: Contracts["rounds"]) => Promise<ContractTransaction>,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { reader, contracts } = context.session;
    const { queue } = await context.account();
    await queue.submit({ label, prepare: () => call(contracts.rounds) });
    const round = await reader.round(await reader.block());
    context.output.say(`Round ${String(round.id)} is ${round.status}.`);
    return { round: round.id, status: round.status };
  });
}
