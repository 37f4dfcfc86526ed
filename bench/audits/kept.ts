import { appendFileSync, existsSync, readFileSync } from "node:fs";

import type { Job } from "./campaign.ts";
import type { ArenaResult } from "./scenario.ts";

/** Results of arenas in a file, one a line, so that a run which was broken off goes on where it was. */
export class KeptResults {
  readonly #file: string | undefined;
  readonly #results = new Map<string, ArenaResult>();

  /** @param file - Nothing is kept without one. A line that was not written to its end counts as none. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      try {
        const { job, result } = JSON.parse(line) as { job: Job; result: ArenaResult };
        this.#results.set(keyOf(job), result);
      } catch {
        // Half a line, of a run that was killed as it wrote; its arena is played again.
      }
    }
  }

  /** What came of an arena. */
  of(job: Job): ArenaResult | undefined {
    return this.#results.get(keyOf(job));
  }

  /** Adds what came of an arena. */
  add(job: Job, result: ArenaResult): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `\n${JSON.stringify({ job, result })}`);
  }
}

function keyOf(job: Job): string {
  return JSON.stringify(job);
}
