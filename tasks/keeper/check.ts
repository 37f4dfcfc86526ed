import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { givenFile, runKeepers } from "./program.ts";

/** Checks a keeper's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await runKeepers(hre, ["check", "--config", givenFile(file), ...(json ? ["--json"] : [])]);
}
