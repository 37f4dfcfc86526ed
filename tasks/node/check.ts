import type { Environment } from "../session/environment.ts";
import { parseFile, runProgram } from "../session/programs.ts";

/** Checks a node agent's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  const args = ["check", "--config", parseFile(file, "agent"), ...(json ? ["--json"] : [])];
  await runProgram(environment, "agent", args);
}
