import { join } from "node:path";

import { TaskKeys } from "@verai/developer/task-keys";
import type { Context } from "../session/context.ts";

/** Keys of this machine's confidential tasks. */
export function keysOf({ dataDir }: Pick<Context, "dataDir">): TaskKeys {
  return new TaskKeys(join(dataDir, "keys"));
}
