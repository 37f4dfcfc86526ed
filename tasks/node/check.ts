import type { Environment } from "../session/environment.ts";
import { parseFile, runService } from "../session/programs.ts";

/** Checks a node agent's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  const args = ["check", "--config", parseFile(file, "agent"), ...(json ? ["--json"] : [])];
  await runService(environment, "agent", args);
}
