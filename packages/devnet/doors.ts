import { join } from "node:path";

import { HARDHAT } from "./chain.ts";
import { ROOT } from "./processes.ts";

/** The project's command line. */
export const DRMP = join(ROOT, "tasks", "drmp.ts");

/**
 * The two doors to each command, Hardhat's task and `drmp`: a command goes through Hardhat's the first time, and from then on
 * through the other, which says the same (test/chain/tasks.test.ts) and takes a third of the processor time to start.
 */
export class Doors {
  readonly #shown = new Set<string>();

  /** The program to run a command such as `task:status` by, now. */
  of(id: string): string {
    if (this.#shown.has(id)) return DRMP;
    this.#shown.add(id);
    return HARDHAT;
  }
}
