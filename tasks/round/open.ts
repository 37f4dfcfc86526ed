import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";

/** Opens a round. */
export default async function open(args: WritingArguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await write(args, hre, async (context) => {
    const { reader, contracts } = context.session;
    const { lane } = await context.account();
    await lane.submit({ label: "open a round", prepare: () => contracts.rounds.open.populateTransaction() });
    const round = await reader.round(await reader.pin());
    context.screen.say(`Round ${String(round.id)} is ${round.status}.`);
    return { round: round.id, status: round.status };
  });
}
