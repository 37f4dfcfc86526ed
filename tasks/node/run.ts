import type { Environment } from "../session/environment.ts";
import { parseFile, runProgram } from "../session/programs.ts";

/** Runs a node's agent. */
export default async function run({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runProgram(environment, "agent", ["run", "--config", parseFile(file, "agent")]);
}
