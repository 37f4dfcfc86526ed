import { chaosRuns } from "./chaos.ts";
import { endpoints } from "./endpoints.ts";
import { FILES } from "./files.ts";
import type { FaultKind } from "./frame.ts";
import { listeners } from "./listeners.ts";
import { meters } from "./meters.ts";
import { strangers } from "./strangers.ts";
import { transactionFaults } from "./transactions.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [
  FILES,
  listeners,
  strangers,
  meters,
  chaosRuns,
  endpoints,
  transactionFaults,
];
