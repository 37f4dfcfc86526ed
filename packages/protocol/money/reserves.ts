/** How long a reserve lasts: it is covered, runs low, or pays for nothing any longer. */
export type Reserve = "covered" | "low" | "empty";

/** What an oracle's subscription should still hold, below which somebody should fill it up. Wei of ETH. */
export const LOW_SUBSCRIPTION = 5_000_000_000_000_000n;

/** Rounds whose bounties the pool should still be able to pay. */
export const BOUNTIES_AHEAD = 100n;

/** What is in a subscription, and in which of both it pays. */
export interface Subscription {
  /** Wei of ETH. */
  readonly native: bigint;
  /** Smallest units of LINK. */
  readonly link: bigint;
  readonly paysNative: boolean;
}

/** How an oracle's subscription stands. What a request costs in LINK follows the market: there only an empty one is told. Pure. */
export function judgeSubscription({ native, link, paysNative }: Subscription): Reserve {
  if ((paysNative ? native : link) === 0n) return "empty";
  return paysNative && native < LOW_SUBSCRIPTION ? "low" : "covered";
}

/** How the bounty pool stands, by what a settled round takes from it. Pure. @param bounty Wei of VER for a round. */
export function judgeBountyPool(pool: bigint, bounty: bigint): Reserve {
  if (pool < bounty) return "empty";
  return pool < bounty * BOUNTIES_AHEAD ? "low" : "covered";
}
