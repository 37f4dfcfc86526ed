import type { Environment } from "../session/environment.ts";

import { parseFile, runProgram } from "../session/programs.ts";

/** Shows what the keepers would do. */
export default async function plan({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runProgram(environment, "keepers", ["plan", "--config", parseFile(file, "keeper")]);
}
