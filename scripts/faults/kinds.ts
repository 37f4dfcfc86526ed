import { chaosRuns } from "./chaos.ts";
import { CLOCKS } from "./clocks.ts";
import { endpoints } from "./endpoints.ts";
import { engines } from "./engines.ts";
import { FILES } from "./files.ts";
import type { FaultKind } from "./frame.ts";
import { listeners } from "./listeners.ts";
import { meters } from "./meters.ts";
import { programs } from "./programs.ts";
import { strangers } from "./strangers.ts";
import { transactionFaults } from "./transactions.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [
  FILES,
  CLOCKS,
  listeners,
  strangers,
  meters,
  chaosRuns,
  endpoints,
  transactionFaults,
  engines,
  programs,
];
