import { ChainError } from "../errors.ts";
import { eth } from "./format.ts";

const HOUR_MS = 3_600_000;

/** What a lane may spend on gas within any hour. Kept in memory: a restart begins a new hour. */
export class HourlyBudget {
  readonly #perHour: bigint;
  readonly #now: () => number;
  #spent: { readonly at: number; readonly wei: bigint }[] = [];

  /**
   * @param perHour Wei.
   * @param now Clock in milliseconds.
   */
  constructor(perHour: bigint, now: () => number = Date.now) {
    this.#perHour = perHour;
    this.#now = now;
  }

  /** Books what was spent. */
  spend(wei: bigint): void {
    this.#spent.push({ at: this.#now(), wei });
  }

  /** Wei spent within the last hour. */
  get spent(): bigint {
    const since = this.#now() - HOUR_MS;
    this.#spent = this.#spent.filter(({ at }) => at > since);
    return this.#spent.reduce((sum, { wei }) => sum + wei, 0n);
  }

  /**
   * Refuses a transaction that could go beyond the budget.
   *
   * @param most The most that it can cost, wei.
   * @throws {@link ChainError} `BUDGET_SPENT`, which is worth trying again once an hour has passed.
   */
  require(label: string, most: bigint): void {
    const { spent } = this;
    if (spent + most <= this.#perHour) return;
    throw new ChainError(
      "BUDGET_SPENT",
      true,
      `"${label}" may cost up to ${eth(most)}, and ${eth(spent)} of the ${eth(this.#perHour)} an hour are spent; ` +
        "wait, or raise fees.perHour.",
      { details: { spent, most, perHour: this.#perHour } },
    );
  }
}
