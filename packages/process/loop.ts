import type { Logger } from "pino";

import { pause } from "@verai/system/clock";
import type { Heartbeat } from "./heartbeat.ts";

/** How a level-triggered loop runs. */
export interface LoopOptions {
  /** Name in logs and in `/health`. */
  readonly name: string;
  /** Pause between two cycles, milliseconds. */
  readonly intervalMs: number;
  /** Longest pause after failures, milliseconds; the pause doubles with each failure in a row up to it. */
  readonly maxBackoffMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  /**
   * Looks at what is and does what is missing. May be cut off at any line and run again.
   * Returns true to be run again at once, because it changed something that may call for more.
   */
  readonly cycle: () => Promise<boolean>;
}

/**
 * Runs cycles until the signal is raised; the cycle under way is allowed to finish.
 *
 * A failed cycle is logged and tried again after a pause; it never ends the loop and never counts as a beat of the
 * heartbeat, so that a loop that only fails turns unhealthy.
 */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { name, signal, logger, heartbeat } = options;
  let failures = 0;
  while (!signal.aborted) {
    let again = false;
    try {
      again = await options.cycle();
      failures = 0;
      heartbeat.beat(name);
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      logger.error({ loop: name, err: error, failures }, "cycle failed, will be tried again");
    }
    if (again) continue;
    const ms = Math.min(options.intervalMs * 2 ** failures, Math.max(options.maxBackoffMs, options.intervalMs));
    await pause(ms, signal);
  }
}
