import { commands } from "./commands.ts";
import type { FaultKind } from "./frame.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [commands];
