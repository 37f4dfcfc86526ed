import type { Environment } from "../session/environment.ts";
import { givenFile, runProgram } from "../session/programs.ts";

/** Checks a node agent's configuration. */
export default async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  const args = ["check", "--config", givenFile(file, "agent"), ...(json ? ["--json"] : [])];
  await runProgram(environment, "agent", args);
}
