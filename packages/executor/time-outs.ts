import { DrmpError } from "@verai/errors/drmp-error";
import type { RunningUnit, UnitExit } from "./executor.ts";

/** Seconds that a unit gets to end after it was killed, or after its grace: engines answer within a second or two. */
export const END_SECONDS = 7;
/** Exit code that stands for a unit of which nobody knows how it ended: that of SIGKILL. */
const UNKNOWN_CODE = 137;
/** Longest timer, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits for a promise to settle, but no longer than so many milliseconds. @returns whether it has. Never rejects. */
export async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS), false);
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A call to an engine that did not answer in time. It may have taken effect all the same. */
export class DeadlineError extends DrmpError {
  override readonly name = "DeadlineError";

  constructor(message: string) {
    super("ENGINE_SILENT", message, { retryable: true });
  }
}

/**
 * Makes a call that ends in time whatever the other side does: silent, dripping, cut in the middle.
 *
 * @param call Gets a signal that is aborted at the deadline; its promise is left alone from then on.
 * @param what For the error, such as "The API server, asked for its pods,".
 * @throws {@link DeadlineError}, or what the call throws.
 */
export async function withDeadline<T>(call: (signal: AbortSignal) => Promise<T>, ms: number, what: string): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new DeadlineError(`${what} did not answer within ${String(ms / 1000)} s`);
    reject(error);
    controller.abort(error);
  }, ms);
  const called = call(controller.signal);
  // An answer that comes too late is nobody's.
  called.catch(() => undefined);
  try {
    return await Promise.race([called, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A unit whose end is never waited for without bound: it counts as `lost` if it has not ended so long after it was killed,
 * or after the grace that it was given to drain. Its engine goes on ending it meanwhile.
 *
 * @param seconds See {@link END_SECONDS}.
 */
export function boundedUnit(inner: RunningUnit, seconds = END_SECONDS): RunningUnit {
  const { promise: lost, resolve } = Promise.withResolvers<UnitExit>();
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const exited = Promise.race([inner.exited, lost]);
  void exited.then(() => {
    over = true;
    clearTimeout(timer);
  });
  const giveUpAfter = (afterSeconds: number, asked: string): void => {
    if (over) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        resolve({
          reason: "lost",
          code: UNKNOWN_CODE,
          cpuSeconds: inner.cpuSeconds(),
          detail:
            `${inner.id} was ${asked}, and its end could not be seen within ${String(afterSeconds)} s: ` +
            `its engine or its machine does not answer, and it may run still. The engine is asked again until it has ended.`,
        });
      },
      Math.min(afterSeconds * 1000, MAX_TIMER_MS),
    );
  };
  return {
    id: inner.id,
    exited,
    drain: (graceSeconds) => {
      void inner.drain(graceSeconds);
      giveUpAfter(graceSeconds + seconds, "told to stop");
      return exited;
    },
    kill: () => {
      void inner.kill();
      giveUpAfter(seconds, "killed");
      return exited;
    },
    cpuSeconds: () => inner.cpuSeconds(),
    logTail: (maxBytes) => inner.logTail(maxBytes),
    waiting: () => inner.waiting?.(),
  };
}
