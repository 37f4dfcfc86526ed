import { monotonicMs } from "@verai/system/clock";

/** How long a holder that could not be reached is asked last, milliseconds. */
const UNREACHED_MS = 30_000;
/** How long a holder that lost what it had signed for is not asked, milliseconds. */
const FAILED_CHECK_MS = 15 * 60_000;

/** Why a holder is asked later than its rank says. */
export type Doubt = "unreached" | "failed check";

/** What an agent remembers of the holders that it has asked. It forgets with the process: the chain judges nobody by it. */
export class PeerReputation {
  readonly #until = new Map<number, { doubt: Doubt; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** Notes one. A failed check is not softened by what comes after it. */
  note(nodeId: number, doubt: Doubt): void {
    if (doubt === "unreached" && this.of(nodeId) === "failed check") return;
    this.#until.set(nodeId, { doubt, until: this.#now() + (doubt === "unreached" ? UNREACHED_MS : FAILED_CHECK_MS) });
  }

  /** What is held against a holder now. */
  of(nodeId: number): Doubt | undefined {
    const noted = this.#until.get(nodeId);
    return noted && this.#now() < noted.until ? noted.doubt : undefined;
  }

  /**
   * The order in which to ask: by rank, then those that were not reached lately. A node that failed a check is left out,
   * unless too few are left without it: a lease must not die of a doubt.
   *
   * @param ranked Holders by rank.
   * @param needed Receipts needed.
   */
  order(ranked: readonly number[], needed: number): number[] {
    const sure = ranked.filter((nodeId) => this.of(nodeId) === undefined);
    const unreached = ranked.filter((nodeId) => this.of(nodeId) === "unreached");
    const trusted = [...sure, ...unreached];
    if (trusted.length >= needed) return trusted;
    return [...trusted, ...ranked.filter((nodeId) => this.of(nodeId) === "failed check")];
  }
}
