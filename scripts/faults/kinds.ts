import { endpoints } from "./endpoints.ts";
import type { FaultKind } from "./frame.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [endpoints];
