import { RpcUnavailableError } from "../errors.ts";

/** How much may be asked of an endpoint. */
export interface GateOptions {
  /** Maximum requests on the way at once. */
  readonly maxInFlight: number;
  /** Maximum requests begun in a second; learnt from the endpoint's refusals if left out. */
  readonly maxPerSecond?: number | undefined;
  /** First pause where an endpoint refuses more and names no pause of its own, milliseconds. */
  readonly pauseMs: number;
}

/** Maximum requests that wait for their turn. */
const MAX_WAITING = 20_000;
/** Longest pause that requests wait for; a longer one fails them at once. */
export const MAX_PAUSE_MS = 30_000;
/** Longest pause that is kept at all: a mistaken header must not shut an endpoint out for a day. */
const LONGEST_PAUSE_MS = 600_000;
/** Requests a second that are tried in any case; pauses see to an endpoint that allows fewer. */
const LEAST_RATE = 5;
/** How often the pause doubles while nothing is served: from 250 ms to 8 s. */
const DOUBLINGS = 5;
/** How much slower it goes after a refusal, and how much faster after a second without. */
const SLOWER = 0.8;
const FASTER = 1.1;

/**
 * Lets requests to one endpoint begin in the order in which they came: so many at once, so many in any second, and none
 * during a pause. They are not spread over the second: a process that computes between its requests would lose its turns. Where the endpoint refuses more, it goes on with somewhat less than was served in the second before,
 * and then becomes faster again. Every operation takes constant time, except for the bounded memory of the last second.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: { readonly begin: () => void; readonly fail: (error: Error) => void }[] = [];
  #inFlight = 0;
  /** Requests that may begin in a second; Infinity while nothing has been refused. */
  #rate: number;
  /** When the requests of the last second began, by the monotonic clock; of the span for one where that is longer. */
  #begun: number[] = [];
  #pausedUntil = 0;
  #pauses = 0;
  #grownAt = 0;
  /** When the requests of the last second were served. */
  #served: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#rate = options.maxPerSecond ?? Infinity;
  }

  /** Requests a second that may begin now; Infinity if no bound is known. */
  get rate(): number {
    return this.#rate;
  }

  /** Milliseconds until requests may begin again; 0 if there is no pause. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now());
  }

  /**
   * Waits for a turn. Every turn ends with {@link leave}.
   *
   * @throws RpcUnavailableError `throttled` if too many wait, or if the endpoint has asked for a pause of more than 30 s.
   */
  async enter(): Promise<void> {
    if (this.pauseMs > MAX_PAUSE_MS) throw this.#paused();
    if (this.#waiting.length >= MAX_WAITING) {
      throw new RpcUnavailableError(
        "throttled",
        `${String(MAX_WAITING)} requests wait for the RPC endpoint already; ask for less at once.`,
      );
    }
    const turn = Promise.withResolvers<undefined>();
    this.#waiting.push({
      begin: () => {
        turn.resolve(undefined);
      },
      fail: turn.reject,
    });
    this.#pump();
    await turn.promise;
  }

  /** Ends a turn. */
  leave(): void {
    this.#inFlight -= 1;
    this.#pump();
  }

  /** Notes that a request was served. */
  served(): void {
    const now = performance.now();
    this.#pauses = 0;
    this.#served.push(now);
    if (this.#served.length > 8192) this.#served = this.#served.slice(-4096);
    if (this.#rate === Infinity || now - this.#grownAt < 1000) return;
    this.#grownAt = now;
    this.#rate = Math.min(this.#rate * FASTER + 0.5, this.#options.maxPerSecond ?? Infinity);
    // Ten times what it serves is as good as no bound.
    if (this.#options.maxPerSecond === undefined && this.#rate > 10_000) this.#rate = Infinity;
  }

  /** Notes that the endpoint wants to be asked less often, and pauses. */
  refused(pauseMs?: number): void {
    const now = performance.now();
    if (pauseMs !== undefined) this.#pauseUntil(now + Math.min(pauseMs, LONGEST_PAUSE_MS));
    // What was on its way when the first was refused is refused as well, which says nothing new.
    else if (now < this.#pausedUntil) return;
    if (this.#pauses === 0) {
      this.#forget(now);
      this.#rate = Math.max(
        Math.min(LEAST_RATE, this.#rate),
        SLOWER * Math.min(this.#rate, Math.max(this.#served.length, 1)),
      );
      this.#grownAt = now;
    }
    if (pauseMs === undefined) {
      const pause = Math.min(this.#options.pauseMs * 2 ** Math.min(this.#pauses, DOUBLINGS), MAX_PAUSE_MS / 3);
      // The jitter keeps clients that were refused together from coming back together.
      this.#pauseUntil(now + pause * (0.75 + Math.random() / 2));
    }
    this.#pauses += 1;
    if (this.pauseMs > MAX_PAUSE_MS) this.fail(this.#paused());
  }

  /** Fails all that wait. */
  fail(error: Error): void {
    for (const { fail } of this.#waiting.splice(0)) fail(error);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #pauseUntil(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, time);
  }

  #paused(): RpcUnavailableError {
    return new RpcUnavailableError(
      "throttled",
      `the endpoint asks for a pause of ${String(Math.ceil(this.pauseMs / 1000))} s`,
    );
  }

  #forget(now: number): void {
    this.#served = this.#served.filter((time) => now - time < 1000);
  }

  /** When the rate lets the next request begin; not after `now` if it may. */
  #freeAt(now: number): number {
    if (this.#rate === Infinity) return now;
    const span = Math.max(1000, 1000 / this.#rate);
    const most = Math.max(1, Math.floor((this.#rate * span) / 1000));
    // As many again are kept, in case that more may begin in the next second.
    if (this.#begun.length > 4 * most) this.#begun = this.#begun.slice(-2 * most);
    return (this.#begun.at(-most) ?? -Infinity) + span;
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 && this.#inFlight < this.#options.maxInFlight) {
      const now = performance.now();
      const wait = Math.max(this.#freeAt(now), this.#pausedUntil) - now;
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#pump();
        }, Math.ceil(wait));
        return;
      }
      if (this.#rate !== Infinity) this.#begun.push(now);
      this.#inFlight += 1;
      this.#waiting.shift()?.begin();
    }
  }
}
