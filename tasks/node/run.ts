import type { Environment } from "../session/environment.ts";
import { parseFile, runService } from "../session/programs.ts";

/** Runs a node's agent. */
export default async function run({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runService(environment, "agent", ["run", "--config", parseFile(file, "agent")]);
}
