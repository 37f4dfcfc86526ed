import type { Environment } from "../session/environment.ts";

import { parseFile, runKeepers } from "./program.ts";

/** Checks a keeper's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  await runKeepers(environment, ["check", "--config", parseFile(file), ...(json ? ["--json"] : [])]);
}
