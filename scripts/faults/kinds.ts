import { chaosRuns } from "./chaos.ts";
import { clocks } from "./clocks.ts";
import { commands } from "./commands.ts";
import { endpoints } from "./endpoints.ts";
import { engines } from "./engines.ts";
import { files } from "./files.ts";
import type { FaultKind } from "@verai/devnet/fault-case";
import { listeners } from "./listeners.ts";
import { meters } from "./meters.ts";
import { programs } from "./programs.ts";
import { strangers } from "./strangers.ts";
import { transactionFaults } from "./transactions.ts";

/** Every kind of fault, in the order in which they run: networks of processes come last. */
export const KINDS: readonly FaultKind[] = [
  commands,
  listeners,
  strangers,
  endpoints,
  transactionFaults,
  files,
  clocks,
  engines,
  programs,
  meters,
  chaosRuns,
];
