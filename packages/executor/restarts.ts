import type { UnitExit } from "./executor.ts";
import type { TaskSpec } from "./spec.ts";

/** Exit code that stands for a time-out in a spec's list of retryable ones, as with timeout(1). */
const TIMEOUT_EXIT_CODE = 124;

/**
 * Whether a unit that has ended is to be started again on this node, from its newest checkpoint. What was drained or
 * killed was so on purpose, and does not count as a restart.
 *
 * @param restarts How often it was restarted already.
 */
export function shouldRestart(
  spec: Pick<TaskSpec, "maxRestarts" | "retryableExitCodes">,
  exit: Pick<UnitExit, "reason" | "code">,
  restarts: number,
): boolean {
  if (exit.reason !== "failed" && exit.reason !== "timeout") return false;
  const code = exit.reason === "timeout" ? TIMEOUT_EXIT_CODE : exit.code;
  return restarts < spec.maxRestarts && spec.retryableExitCodes.includes(code);
}

/** How often in a row a unit of which nothing ran, or that was told to stop by somebody else, is tried again. */
const MAX_TRIES = 10;
/** Seconds until such a unit is tried again: doubled each time, up to the second number. */
const [FIRST_PAUSE, LAST_PAUSE] = [5, 120];

/**
 * Whether a unit that ended through no fault of its own is to be started again on this node, which does not count as a
 * restart: one that never started, or drained untold, so many times, one whose place was taken away as often as that happens.
 *
 * @param times How often in a row it ended so already.
 * @returns Seconds to wait first; undefined if it is not started again.
 */
export function pauseBeforeAnother({ reason }: Pick<UnitExit, "reason">, times: number): number | undefined {
  const pause = Math.min(LAST_PAUSE, FIRST_PAUSE * 2 ** times);
  if (reason === "evicted") return pause;
  return (reason === "unstarted" || reason === "drained") && times < MAX_TRIES ? pause : undefined;
}
