import type { Environment } from "../session/environment.ts";
import { parseFile, runService } from "../session/programs.ts";

/** Runs a node's agent. */
export async function run({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runService(environment, "agent", ["run", "--config", parseFile(file, "agent")]);
}

/** Checks a node agent's configuration. */
export async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  const args = ["check", "--config", parseFile(file, "agent"), ...(json ? ["--json"] : [])];
  await runService(environment, "agent", args);
}
