import type { FaultKind } from "./frame.ts";
import { transactionFaults } from "./transactions.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [transactionFaults];
