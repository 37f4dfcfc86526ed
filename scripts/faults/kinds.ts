import type { FaultKind } from "./frame.ts";
import { listeners } from "./listeners.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [listeners];
