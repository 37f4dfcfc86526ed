/** When agents were out of order by a run's own doing, by the chain's time in seconds. */
export class Outages {
  /** Of each agent: since when it is out of order; undefined while it is not. */
  readonly #since = new Map<number, number>();
  /** Of each agent: until when it last was. */
  readonly #until = new Map<number, number>();

  /** A fault hits an agent. */
  begin(agent: number, now: number): void {
    if (!this.#since.has(agent)) this.#since.set(agent, now);
  }

  /** The fault is over: from now on the agent has to come to terms with what it left. */
  end(agent: number, now: number): void {
    this.#since.delete(agent);
    this.#until.set(agent, now);
  }

  /** Whether an agent is in order now. */
  isInOrder(agent: number): boolean {
    return !this.#since.has(agent);
  }

  /** Whether an agent was in order all the while since then. */
  wasInOrderSince(agent: number, since: number): boolean {
    return this.isInOrder(agent) && (this.#until.get(agent) ?? -Infinity) < since;
  }
}
