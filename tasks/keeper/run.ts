import type { Environment } from "../session/environment.ts";

import { parseFile, runService } from "../session/programs.ts";

/** Runs the keepers. */
export default async function run(
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  environment: Environment,
): Promise<void> {
  await runService(environment, "keepers", [
    "run",
    "--config",
    parseFile(file, "keeper"),
    ...(dryRun ? ["--dry-run"] : []),
  ]);
}
