import type { UnitExit } from "./executors/executor.ts";
import type { TaskSpec } from "./spec.ts";

/** Exit code that stands for a time-out in a spec's list of retryable ones, as with timeout(1). */
export const TIMEOUT_EXIT_CODE = 124;

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
