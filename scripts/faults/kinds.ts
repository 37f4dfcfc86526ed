import { chaosRuns } from "./chaos.ts";
import type { FaultKind } from "./frame.ts";
import { meters } from "./meters.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [meters, chaosRuns];
