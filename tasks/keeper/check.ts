import type { Environment } from "../session/environment.ts";

import { parseFile, runService } from "../session/programs.ts";

/** Checks a keeper's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  await runService(environment, "keepers", [
    "check",
    "--config",
    parseFile(file, "keeper"),
    ...(json ? ["--json"] : []),
  ]);
}
