import type PQueue from "p-queue";

/** From one look at the places to the next, milliseconds: while it waits, and while it runs. */
const [WAITING_MS, RUNNING_MS] = [1000, 100];

/** The places for units, as far as this needs them. */
export type Places = Pick<PQueue, "pending" | "size" | "concurrency">;

/** Work that had to make room for a lease's unit. */
class MadeRoomError extends Error {}

/**
 * Runs work in places that no lease's unit wants: it begins when one is free and nobody waits for one, and makes room within
 * a tenth of a second when a unit does. Then it begins again, and goes on from what it has left, until its time is over.
 */
export class SpareCapacity {
  readonly #places: Places;
  #used = 0;

  /** @param places Shared with the units of leases; not used up by what runs here. */
  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * Runs work as soon as there is room, and again whenever it had to make room before its end.
   *
   * @param work Ends soon after its signal.
   * @param signal Ends all of it.
   * @throws What the work throws but for having made room; the signal's reason.
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      await this.#room(signal);
      const made = new AbortController();
      this.#used += 1;
      const timer = setInterval(() => {
        if (this.#free() < 0) made.abort(new MadeRoomError("a lease's unit needs the place"));
      }, RUNNING_MS);
      try {
        return await work(AbortSignal.any([signal, made.signal]));
      } catch (error) {
        signal.throwIfAborted();
        if (!made.signal.aborted) throw error;
      } finally {
        clearInterval(timer);
        this.#used -= 1;
      }
    }
  }

  /** Places beyond what units of leases have or wait for, and what runs here uses. */
  #free(): number {
    const { concurrency, pending, size } = this.#places;
    return concurrency - pending - size - this.#used;
  }

  async #room(signal: AbortSignal): Promise<void> {
    while (this.#free() < 1) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, WAITING_MS);
        function done() {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
        signal.addEventListener("abort", done, { once: true });
      });
    }
    signal.throwIfAborted();
  }
}
