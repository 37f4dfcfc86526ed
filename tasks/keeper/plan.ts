import type { Environment } from "../session/environment.ts";

import { parseFile, runKeepers } from "./program.ts";

/** Shows what the keepers would do. */
export default async function plan({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await runKeepers(environment, ["plan", "--config", parseFile(file)]);
}
