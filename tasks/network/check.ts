import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { read } from "../session/context.ts";
import { addressLink } from "../session/explorer.ts";
import type { ReadingArguments } from "../session/options.ts";
import { checkReport, showReport } from "./check-report.ts";
import { parametersFile } from "./deployment-spec.ts";

/** Compares a deployment with its parameters file. Exit code 1 if something is wrong. */
export default async function check(
  args: ReadingArguments & { readonly parameters: string },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await read(args, hre, async ({ session, output, chainId }) => {
    const file = parametersFile(chainId, args.parameters);
    const { block, findings } = await checkReport(hre, session, file);
    output.say(`chain ${String(chainId)}, block ${String(block)}, compared with ${file}`);
    const vault = await session.contracts.vault.getAddress();
    output.say(`vault ${addressLink(chainId, vault) ?? vault}`);
    output.say();
    const wrong = showReport(output, findings);
    if (wrong > 0) process.exitCode = 1;
    return { chainId, block, parametersFile: file, wrong, findings };
  });
}
