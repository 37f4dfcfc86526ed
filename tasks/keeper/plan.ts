import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { givenFile, runKeepers } from "./program.ts";

/** Shows what the keepers would do. */
export default async function plan({ file }: { readonly file: string }, hre: HardhatRuntimeEnvironment): Promise<void> {
  await runKeepers(hre, ["plan", "--config", givenFile(file)]);
}
