import type { Environment } from "../session/environment.ts";

import { givenFile, runKeepers } from "./program.ts";

/** Checks a keeper's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  await runKeepers(environment, ["check", "--config", givenFile(file), ...(json ? ["--json"] : [])]);
}
