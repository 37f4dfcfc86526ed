import { Counter, Gauge, type Registry } from "prom-client";

import { SeedWatch } from "../seed-watch.ts";

/** What the allocation keeper counts. */
export interface AllocationMetrics {
  /** Rounds planned with a certificate. */
  readonly planned: Counter;
  /** Posts that settled a round. */
  readonly posted: Counter;
  /** Transactions that somebody else's made unnecessary. */
  readonly lost: Counter;
  /** Plans refused by their own certificate. */
  readonly refused: Counter;
  /** Tasks whose release fees this keeper distributed. */
  readonly feesDistributed: Counter;
  /** VER in the bounty pool. */
  readonly bountyPool: Gauge;
  /** Since when rounds' requests for seeds go unanswered. */
  readonly seeds: SeedWatch;
}

/** Registers the metrics. */
export function allocationMetrics(registry: Registry): AllocationMetrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  return {
    planned: counter("drmp_plans_made_total", "Rounds planned with a certificate"),
    posted: counter("drmp_plans_posted_total", "Posts that settled a round"),
    lost: counter("drmp_plans_lost_total", "Transactions that somebody else's made unnecessary"),
    refused: counter("drmp_plans_refused_total", "Plans refused by their own certificate"),
    feesDistributed: counter("drmp_release_fees_distributed_total", "Tasks whose release fees were distributed"),
    bountyPool: new Gauge({
      name: "drmp_bounty_pool_ver",
      help: "VER in the bounty pool, which bounties are paid from: empty, it pays nobody",
      registers: [registry],
    }),
    seeds: new SeedWatch(registry, "round"),
  };
}
