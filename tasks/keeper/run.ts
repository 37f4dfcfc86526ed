import type { Environment } from "../session/environment.ts";

import { parseFile, runKeepers } from "./program.ts";

/** Runs the keepers. */
export default async function run(
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  environment: Environment,
): Promise<void> {
  await runKeepers(environment, ["run", "--config", parseFile(file), ...(dryRun ? ["--dry-run"] : [])]);
}
