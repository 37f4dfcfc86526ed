import { setTimeout as delay } from "node:timers/promises";

import type { UnitConfig } from "./config.ts";

/** The pauses between a unit's steps, as its arguments ask for them. They have no influence on the result. */
export class Rests {
  readonly #config: Pick<UnitConfig, "pace" | "rest">;
  #begun = process.cpuUsage();

  constructor(config: Pick<UnitConfig, "pace" | "rest">) {
    this.#config = config;
  }

  /** A step begins; what the unit did before is no part of it. */
  begin(): void {
    this.#begun = process.cpuUsage();
  }

  /** The step is done: pauses, and the next one begins. */
  async take(): Promise<void> {
    const { pace, rest } = this.#config;
    const { user, system } = process.cpuUsage(this.#begun);
    const ms = pace + (rest * (user + system)) / 1000;
    if (ms > 0) await delay(ms);
    this.begin();
  }
}
