import { CLOCKS } from "./clocks.ts";
import { FILES } from "./files.ts";
import type { FaultKind } from "./frame.ts";

/** Every kind of fault, in the order in which they run. */
export const KINDS: readonly FaultKind[] = [FILES, CLOCKS];
