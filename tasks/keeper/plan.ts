import type { Environment } from "../session/environment.ts";

import { parseFile, runService } from "../session/programs.ts";

/** Shows what the keepers would do. */
export default async function plan({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runService(environment, "keepers", ["plan", "--config", parseFile(file, "keeper")]);
}
