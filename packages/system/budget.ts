/** How much of something a name may use. */
export interface BudgetOptions {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens that a name has at most, and begins with. */
  readonly burst: number;
  /** Names remembered; beyond, the one used longest ago is forgotten. Default 4,096. */
  readonly maxNames?: number;
  /** Clock, milliseconds; monotonic. */
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A token bucket for each name (an address, a peer id, a lease), for work that strangers can ask for. Memory is bounded:
 * of the names the least recently used one is forgotten, which then begins with a full bucket. O(1) a call.
 */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #maxNames: number;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#maxNames = options.maxNames ?? 4_096;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Names remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes tokens. @returns False, and takes none, if there are too few. */
  take(name: string, tokens = 1): boolean {
    const { perSecond, burst } = this.#options;
    const now = this.#now();
    const known = this.#buckets.get(name);
    const left = known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.at) / 1000) * perSecond);
    const enough = left >= tokens;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: enough ? left - tokens : left, at: now });
    if (this.#buckets.size > this.#maxNames) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return enough;
  }
}
