import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { givenFile, runKeepers } from "./program.ts";

/** Runs the keepers. */
export default async function run(
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await runKeepers(hre, ["run", "--config", givenFile(file), ...(dryRun ? ["--dry-run"] : [])]);
}
