import { WorkloadError } from "../errors.ts";

/** The GPUs of a node: each is given to one unit at a time. */
export class Gpus {
  readonly count: number;
  readonly #free: Set<string>;

  /** @param ids As the engine knows them: indices or UUIDs. */
  constructor(ids: readonly string[]) {
    this.#free = new Set(ids);
    this.count = this.#free.size;
  }

  /** @throws {@link WorkloadError} `START_FAILED` if not so many are free. */
  take(count: number): string[] {
    if (count > this.#free.size) {
      throw new WorkloadError(
        "START_FAILED",
        `A unit wants ${count} GPUs, but only ${this.#free.size} of ${this.count} are free: lower node.capacity, so that ` +
          `all leased units can run at once.`,
      );
    }
    const taken = [...this.#free].slice(0, count);
    for (const id of taken) this.#free.delete(id);
    return taken;
  }

  /** Marks GPUs as taken that a unit has already. @returns those of them that are this node's. */
  claim(ids: readonly string[]): string[] {
    return ids.filter((id) => this.#free.delete(id));
  }

  giveBack(ids: readonly string[]): void {
    for (const id of ids) this.#free.add(id);
  }
}
