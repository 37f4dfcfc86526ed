import { answer, block } from "@verai/client/readers";
import { formatVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { Environment } from "../session/environment.ts";
import type { WritingArguments } from "../session/options.ts";
import { givenTask } from "./given.ts";

/** Settles the fees that nodes paid for giving leases of an ended task back without headway. */
export default async function settleFees(
  args: WritingArguments & { readonly task: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, screen } = context;
    const { reader, contracts } = session;
    const pin = await reader.pin();
    const { id } = await givenTask(reader, pin, args.task);
    const held = await answer(contracts.vault.feesOf(id, block(pin)));
    if (held === 0n) {
      screen.say(`No release fees of task ${String(id)} are held: nothing is to settle.`);
      return { task: id, settled: 0n };
    }
    const { lane } = await context.account();
    await lane.submit({
      label: `settle the release fees of task ${String(id)}, ${formatVer(held)} VER`,
      prepare: () => contracts.releaseFees.distribute.populateTransaction(id),
    });
    screen.say(`${formatVer(held)} VER are settled; those they went to take them with \`npx hardhat node:claim\`.`);
    return { task: id, settled: held };
  });
}
