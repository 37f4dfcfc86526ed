import { orAborted } from "../signals.ts";

interface Shared {
  result: Promise<number>;
  users: number;
  abandoned: AbortController;
}

/** Work that several want at the same time is done once; it is given up when the last of them has. */
export class SharedWork {
  readonly #running = new Map<string, Shared>();

  /**
   * @param name - what is wanted
   * @param work - does it, unless somebody else is doing it already
   * @throws the signal's reason as soon as it aborts; what `work` throws
   */
  async run(name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
    signal.throwIfAborted();
    const shared = this.#running.get(name) ?? this.#begin(name, work);
    shared.users += 1;
    try {
      return await orAborted(shared.result, signal);
    } finally {
      shared.users -= 1;
      if (shared.users === 0) {
        shared.abandoned.abort(new Error("it is no longer wanted"));
        if (this.#running.get(name) === shared) this.#running.delete(name);
      }
    }
  }

  #begin(name: string, work: (signal: AbortSignal) => Promise<number>): Shared {
    const abandoned = new AbortController();
    const shared: Shared = { result: work(abandoned.signal), users: 0, abandoned };
    this.#running.set(name, shared);
    return shared;
  }
}
