import type { Environment } from "../session/environment.ts";

import { parseFile, runProgram } from "../session/programs.ts";

/** Runs the keepers. */
export default async function run(
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  environment: Environment,
): Promise<void> {
  await runProgram(environment, "keepers", [
    "run",
    "--config",
    parseFile(file, "keeper"),
    ...(dryRun ? ["--dry-run"] : []),
  ]);
}
