import { settles } from "@verai/executor/time-outs";

/**
 * Steps under way, at most one row of them for each lease, beside the agent's cycles: a lease whose engine, holders or
 * transactions are slow keeps no other lease waiting, and is left alone until its own steps have been taken.
 */
export class LeaseTurns {
  readonly #turns = new Map<number, Promise<void>>();

  /** Whether steps of a lease are under way. */
  busy(leaseId: number): boolean {
    return this.#turns.has(leaseId);
  }

  /** Leases whose steps are under way. */
  get size(): number {
    return this.#turns.size;
  }

  /** Begins steps of a lease that is not {@link busy}. @param take Never rejects. */
  begin(leaseId: number, take: () => Promise<void>): void {
    const turn = take().finally(() => this.#turns.delete(leaseId));
    this.#turns.set(leaseId, turn);
  }

  /** Waits for what is under way, but no longer than so many milliseconds. @returns whether all of it has ended. */
  async settle(ms: number): Promise<boolean> {
    return settles(Promise.all(this.#turns.values()), ms);
  }
}
