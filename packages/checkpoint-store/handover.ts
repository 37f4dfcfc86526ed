import { owned } from "@verai/system/owned-bytes";
import { orAborted } from "./signals.ts";

/** Blocks that are on their way or held at most, while the writer has other work: at most twice as many MiB. */
const MOST = 16;

/**
 * Hands blocks that have been verified to the one who writes them out beside the fetch, so that they are neither read nor hashed
 * again. What is not taken in time is read from the store: nothing is lost, and memory is bounded.
 */
export class Handover {
  readonly #expected = new Set<string>();
  readonly #held = new Map<string, Uint8Array>();
  /** What the writer has had once: if it comes again, it is read from the store. */
  readonly #taken = new Set<string>();
  /** What the writer waits for; it has something to do otherwise. */
  #wanted: string | undefined;
  #isOver = false;
  #change = Promise.withResolvers<undefined>();

  /**
   * Waits until another block may be asked for: until the writer has taken enough, or waits itself.
   *
   * @throws the signal's reason
   */
  async expect(name: string, signal: AbortSignal): Promise<void> {
    if (this.#taken.has(name)) return;
    while (!this.#isOver && this.#wanted === undefined && this.#expected.size + this.#held.size >= MOST) {
      await orAborted(this.#change.promise, signal);
    }
    if (!this.#isOver) this.#expected.add(name);
  }

  /**
   * Takes note of bytes that have just been verified.
   *
   * @param isOwn - whether they stay as they are; else they are copied
   */
  offer(name: string, bytes: Uint8Array, isOwn = false): void {
    if (!this.#expected.delete(name) || this.#isOver) return;
    // The writer takes them in their order: of too many the last can wait in the store.
    const isWanted = !this.#taken.has(name) && (this.#held.size < MOST || name === this.#wanted);
    if (isWanted) this.#held.set(name, isOwn ? bytes : owned(Buffer.from(bytes)));
    this.#changed();
  }

  /** A block does not come this way. */
  pass(name: string): void {
    if (this.#expected.delete(name)) this.#changed();
  }

  /** Whether a block is on its way. */
  isExpected(name: string): boolean {
    return this.#expected.has(name);
  }

  /** The bytes of a block, once. */
  take(name: string): Uint8Array | undefined {
    const bytes = this.#held.get(name);
    if (bytes === undefined) return undefined;
    this.#held.delete(name);
    this.had(name);
    return bytes;
  }

  /** The writer has a block from elsewhere. */
  had(name: string): void {
    this.#taken.add(name);
    this.#changed();
  }

  /**
   * Waits until a block is held, or no longer on its way.
   *
   * @param stored - settles when the store has it; whatever brings it otherwise
   * @throws what `stored` does
   */
  async arrival(name: string, stored?: Promise<unknown>): Promise<void> {
    if (stored !== undefined) this.#expected.add(name);
    this.#wanted = name;
    this.#changed();
    const end = stored?.finally(() => {
      this.pass(name);
    });
    // It is waited for no longer once the block is held.
    end?.catch(() => undefined);
    try {
      while (this.#expected.has(name)) await this.#change.promise;
      if (!this.#held.has(name)) await end;
    } finally {
      this.#wanted = undefined;
    }
  }

  /** Nobody writes any longer. */
  end(): void {
    this.#isOver = true;
    this.#held.clear();
    this.#expected.clear();
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve(undefined);
    this.#change = Promise.withResolvers<undefined>();
  }
}
