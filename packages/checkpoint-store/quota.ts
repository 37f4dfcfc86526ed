import { CheckpointError } from "./errors.ts";

/** Keeps account of the bytes of all blocks in a store, against its bound. */
export class Quota {
  readonly maxBytes: number;
  readonly #sizes = new Map<string, number>();
  #used = 0;

  /** @param maxBytes - most bytes that all blocks together may have; Infinity for no bound */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes of all blocks. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of a block, 0 if it is not there. */
  bytesOf(name: string): number {
    return this.#sizes.get(name) ?? 0;
  }

  /** Notes a block's size, 0 if it is gone. */
  account(name: string, bytes: number): void {
    this.#used += bytes - this.bytesOf(name);
    if (bytes === 0) this.#sizes.delete(name);
    else this.#sizes.set(name, bytes);
  }

  clear(): void {
    this.#sizes.clear();
    this.#used = 0;
  }

  /**
   * Takes room for a block before it is written; if there is too little, what nobody needs goes first. Synchronous, so
   * that nobody can begin to need a block between the look and its end.
   *
   * @param discard - deletes a block at once
   * @throws {@link CheckpointError} `STORE_FULL`
   */
  take(name: string, bytes: number, isNeeded: (name: string) => boolean, discard: (name: string) => void): void {
    const more = bytes - this.bytesOf(name);
    if (this.#used + more > this.maxBytes) {
      for (const other of [...this.#sizes.keys()]) if (!isNeeded(other)) discard(other);
    }
    if (this.#used + more > this.maxBytes) {
      throw new CheckpointError(
        "STORE_FULL",
        `No room for ${more} bytes beside ${this.#used} that are pinned or in use, as the store may have ${this.maxBytes}: unpin what is not needed, or raise the bound (maxBytes)`,
      );
    }
    this.account(name, bytes);
  }
}
