/**
 * Counts who needs a block. A pin holds its blocks, and so does every running add or fetch, from before it looks for
 * a block until the pin that follows stands. Garbage collection deletes only what nobody holds; it checks and deletes
 * in one synchronous step, so that no lock is needed.
 */
export class References {
  readonly #counts = new Map<string, number>();

  /** Adds one hold on a block. */
  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Takes one hold off a block. */
  release(name: string): void {
    const count = this.#counts.get(name) ?? 0;
    if (count <= 1) this.#counts.delete(name);
    else this.#counts.set(name, count - 1);
  }

  /** Whether anybody needs the block. */
  has(name: string): boolean {
    return this.#counts.has(name);
  }
}

/** The holds of one running operation, released together. */
export class OperationReferences {
  readonly #references: References;
  readonly #names = new Set<string>();
  #released = false;

  constructor(references: References) {
    this.#references = references;
  }

  /** Holds a block until {@link release}; again is no different from once, and after the release without effect. */
  add(name: string): void {
    if (this.#released || this.#names.has(name)) return;
    this.#names.add(name);
    this.#references.add(name);
  }

  /** Whether this or anything else holds the block. */
  has(name: string): boolean {
    return this.#references.has(name);
  }

  /** Lets all blocks go. */
  release(): void {
    this.#released = true;
    for (const name of this.#names) this.#references.release(name);
    this.#names.clear();
  }
}
