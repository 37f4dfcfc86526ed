import { setTimeout as delay } from "node:timers/promises";

/**
 * Longest time that a timer of Node.js can wait, milliseconds (about 24.8 days). A longer one is not refused: it fires at
 * once, so that a loop with such an interval spins.
 */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Longest interval or time-out that a configuration may state, seconds. */
export const MAX_TIMER_SECONDS = Math.floor(MAX_TIMER_MS / 1000);

/**
 * Milliseconds by a clock that only moves forward, whatever is done to the date of this machine. Good for spans within
 * this process, and for nothing else: its zero is the start of the process.
 */
export function monotonicMs(): number {
  return performance.now();
}

/**
 * Waits; ends early, without an error, when the signal is raised. Spans longer than {@link MAX_TIMER_MS} are waited for in
 * parts, an endless one until the signal.
 *
 * @param ms Milliseconds; below 0 counts as 0.
 * @throws RangeError for a span that is not a number.
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (Number.isNaN(ms)) throw new RangeError("Cannot wait for NaN ms: state a number of milliseconds.");
  const end = monotonicMs() + Math.max(0, ms);
  for (let left = Math.max(0, ms); signal?.aborted !== true; left = end - monotonicMs()) {
    await delay(Math.min(Math.max(0, left), MAX_TIMER_MS), undefined, signal && { signal }).catch(() => undefined);
    // Timers may fire a fraction of a millisecond early.
    if (end - monotonicMs() < 1) return;
  }
}

/** A signal that is raised after a span; like `AbortSignal.timeout`, but a span too long for a timer is shortened, not refused. */
export function timeoutSignal(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(Math.min(Math.max(0, ms), MAX_TIMER_MS)));
}
