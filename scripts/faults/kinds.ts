import { engines } from "./engines.ts";
import type { FaultKind } from "./frame.ts";
import { programs } from "./programs.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [engines, programs];
