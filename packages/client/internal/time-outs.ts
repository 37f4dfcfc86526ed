import { setTimeout as delay } from "node:timers/promises";

import { DrmpError } from "@verai/errors/drmp-error";
import { RpcUnavailableError } from "../errors.ts";

/** Reason of the abort when a request has taken too long. */
export class DeadlinePassedError extends DrmpError {
  override readonly name = "DeadlinePassedError";
  readonly ms: number;

  constructor(ms: number) {
    super("DEADLINE_PASSED", `not done within ${String(ms / 1000)} s`, { retryable: true });
    this.ms = ms;
  }
}

/** How long a request is waited for: until its deadline, its caller's signal, or the end of the process. */
export class TimeOut {
  readonly #controller = new AbortController();
  readonly #off: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param ms Time until the deadline, milliseconds. */
  constructor(ms: number, signal?: AbortSignal) {
    this.within(ms);
    if (!signal) return;
    const onAbort = (): void => {
      this.end(signal.reason);
    };
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener("abort", onAbort, { once: true });
      this.#off.push(() => {
        signal.removeEventListener("abort", onAbort);
      });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Begins the time again. */
  within(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    // Longer spans overflow the timer, which would then fire at once.
    this.#timer = setTimeout(() => this.end(new DeadlinePassedError(ms)), Math.min(ms, 2 ** 31 - 1));
  }

  /** Ends the wait now. */
  end(reason: unknown): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  /** Frees timer and listeners. */
  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const off of this.#off.splice(0)) off();
  }
}

/** A promise that is given up when the signal is raised; what it comes to later is of no interest. */
export async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const onAbort = (): void => {
    given.reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, given.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** An answer of an endpoint, or {@link RpcUnavailableError} if it takes longer than `ms`. */
export async function answerWithin<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `No answer to ${what} within ${String(ms / 1000)} s. Check that the node is not overloaded.`;
    late.reject(new RpcUnavailableError("timeout", message));
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A pause that the signal ends early; throws its reason then. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}
