import type { Environment } from "../session/environment.ts";

import { givenFile, runProgram } from "../session/programs.ts";

/** Checks a keeper's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  await runProgram(environment, "keepers", [
    "check",
    "--config",
    givenFile(file, "keeper"),
    ...(json ? ["--json"] : []),
  ]);
}
