/** What is seen of the machine's owner since the look before. */
export interface IdleSigns {
  /** Share of the machine used by anything but the agent and its workloads, from 0 to 1. */
  readonly othersLoad: number;
  /** Seconds since a terminal was last typed into; Infinity if nobody is logged in. */
  readonly sinceInput: number;
  /** Seconds that the look covers. */
  readonly seconds: number;
}

/** When an owner counts as using the machine. */
export interface IdleBounds {
  /** Share of the machine that others use from which on it counts as used. */
  readonly othersLoad: number;
  /** Seconds of quiet after which the owner counts as away. */
  readonly idleAfter: number;
}

/** Seconds of others' load in a row that make the owner present: shorter ones are housekeeping. */
const PRESENT_AFTER = 5;

/**
 * Decides whether the machine's owner uses it. Pure but for its own memory.
 *
 * The owner is there at once when something is typed, and after a few seconds of others' load; away after a time of quiet.
 * At the start the owner counts as there, so that nothing is taken that is not known to be free.
 */
export class IdleDetector {
  readonly #bounds: IdleBounds;
  #present = true;
  #quiet = 0;
  #busy = 0;

  constructor(bounds: IdleBounds) {
    this.#bounds = bounds;
  }

  /** Whether the owner uses the machine. */
  get present(): boolean {
    return this.#present;
  }

  /** Why no work is taken; undefined while the owner is away. */
  get why(): string | undefined {
    if (!this.#present) return undefined;
    const left = Math.max(0, Math.ceil(this.#bounds.idleAfter - this.#quiet));
    return `the machine's owner uses it; it is offered again after ${left} s of quiet`;
  }

  /** Takes what was seen into account. @returns Whether the owner is present. */
  look({ othersLoad, sinceInput, seconds }: IdleSigns): boolean {
    const busy = othersLoad >= this.#bounds.othersLoad;
    this.#busy = busy ? this.#busy + seconds : 0;
    const typed = sinceInput < Math.max(seconds, PRESENT_AFTER);
    this.#quiet = busy || typed ? 0 : Math.min(this.#quiet + seconds, sinceInput);
    if (typed || this.#busy >= PRESENT_AFTER) this.#present = true;
    else if (this.#quiet >= this.#bounds.idleAfter) this.#present = false;
    return this.#present;
  }
}
