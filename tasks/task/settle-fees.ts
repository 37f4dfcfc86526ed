import { answer, blockTag } from "@verai/client/readers";
import { formatVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { Environment } from "../session/environment.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";

/** Settles the fees that nodes paid for giving leases of an ended task back without headway. */
export default async function settleFees(
  args: WritingArguments & { readonly task: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    const { id } = await parseTask(reader, block, args.task);
    const held = await answer(contracts.vault.feesOf(id, blockTag(block)));
    if (held === 0n) {
      output.say(`No release fees of task ${String(id)} are held: nothing is to settle.`);
      return { task: id, settled: 0n };
    }
    const { queue } = await context.account();
    await queue.submit({
      label: `settle the release fees of task ${String(id)}, ${formatVer(held)} VER`,
      prepare: () => contracts.releaseFees.distribute.populateTransaction(id),
    });
    output.say(`${formatVer(held)} VER are settled; those they went to take them with \`npx hardhat node:claim\`.`);
    return { task: id, settled: held };
  });
}
