import { parseEther } from "ethers";

import { ChainError } from "../errors.ts";
import { eth } from "./format.ts";

const HOUR_MS = 3_600_000;

/** What a key may spend on gas within any hour where nothing else is configured, wei. */
export const DEFAULT_BUDGET_PER_HOUR = parseEther("0.05");

/** The same on the local simulated chain, whose ETH costs nothing and whose fees are a thousand times those of BASE. */
export const LOCAL_BUDGET_PER_HOUR = parseEther("1000");

/** Entries kept; older ones within the hour are added up, so that memory stays bounded. */
const MAX_ENTRIES = 512;

/** An amount and its age, as a journal keeps it. */
export interface Spending {
  /** Milliseconds ago. */
  readonly ageMs: number;
  readonly wei: bigint;
}

/**
 * What a queue may spend on gas within any hour: what mined transactions really cost, whether first ones, replacements,
 * cancellations or reverted ones, and the maximum that each nonce in flight can still cost.
 */
export class HourlyBudget {
  readonly #perHour: bigint;
  readonly #now: () => number;
  #spent: { readonly at: number; readonly wei: bigint }[];
  /** The maximum that each nonce in flight can cost; only one of its transactions can be mined. */
  readonly #reserved = new Map<number, bigint>();

  /**
   * @param perHour Wei.
   * @param before What an earlier run spent.
   * @param now Monotonic clock in milliseconds.
   */
  constructor(perHour: bigint, before: readonly Spending[] = [], now: () => number = () => performance.now()) {
    this.#perHour = perHour;
    this.#now = now;
    this.#spent = before.map(({ ageMs, wei }) => ({ at: now() - Math.max(0, ageMs), wei }));
  }

  /** Books what was spent; what was reserved for the nonce is free again. */
  spend(nonce: number, wei: bigint): void {
    this.#reserved.delete(nonce);
    this.#spent.push({ at: this.#now(), wei });
    if (this.#spent.length <= MAX_ENTRIES) return;
    const [first, second] = this.#spent.splice(0, 2);
    if (first && second) this.#spent.unshift({ at: second.at, wei: first.wei + second.wei });
  }

  /** Frees what was reserved for a nonce, whose transaction was not taken. */
  release(nonce: number): void {
    this.#reserved.delete(nonce);
  }

  /** Wei spent within the last hour. */
  get spent(): bigint {
    return this.#recent().reduce((sum, { wei }) => sum + wei, 0n);
  }

  /** What was spent within the last hour, for the journal. */
  spendings(): Spending[] {
    return this.#recent().map(({ at, wei }) => ({ ageMs: this.#now() - at, wei }));
  }

  /**
   * Reserves the maximum that a nonce can cost; a replacement needs only what it may cost more.
   *
   * @param most Wei.
   * @throws {@link ChainError} `BUDGET_SPENT`, which is worth trying again once an hour has passed. Nothing is reserved.
   */
  reserve(nonce: number, label: string, most: bigint): void {
    const before = this.#reserved.get(nonce) ?? 0n;
    if (most <= before) return;
    const { spent } = this;
    let others = 0n;
    for (const [other, wei] of this.#reserved) if (other !== nonce) others += wei;
    if (spent + others + most > this.#perHour) {
      throw new ChainError(
        "BUDGET_SPENT",
        true,
        `"${label}" may cost up to ${eth(most)}, and ${eth(spent + others)} of the ${eth(this.#perHour)} an hour are spent; ` +
          "wait, or raise fees.perHour.",
        { details: { spent: spent + others, most, perHour: this.#perHour } },
      );
    }
    this.#reserved.set(nonce, most);
  }

  /** Reserves what an earlier run has sent, whatever the budget. */
  adopt(nonce: number, most: bigint): void {
    this.#reserved.set(nonce, most);
  }

  #recent(): readonly { readonly at: number; readonly wei: bigint }[] {
    const since = this.#now() - HOUR_MS;
    this.#spent = this.#spent.filter(({ at }) => at > since);
    return this.#spent;
  }
}
