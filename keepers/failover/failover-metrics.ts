import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import { SeedWatch } from "../seed-watch.ts";

/** What the failover keeper counts. */
export interface FailoverMetrics {
  /** Leases whose interval is over while their grace runs. */
  readonly suspect: Gauge;
  /** Leases that can be expired. */
  readonly overdue: Gauge;
  /** Ranges of failed leases that no node was drawn for yet, those of an open batch among them. */
  readonly orphans: Gauge;
  /** Leases expired by this keeper. */
  readonly expired: Counter;
  /** Overdue leases not expired: the second endpoint disagrees or is silent, or it is not settled yet. */
  readonly unconfirmed: Counter<"why">;
  /** Seconds from a lease's due time to its expiry by this keeper. */
  readonly lateness: Histogram;
  /** Steps taken for batches, by kind. */
  readonly batches: Counter<"step">;
  /** Since when batches' requests for seeds go unanswered. */
  readonly seeds: SeedWatch;
}

/** Registers the metrics. */
export function failoverMetrics(registry: Registry): FailoverMetrics {
  const registers = [registry];
  return {
    suspect: new Gauge({ name: "drmp_leases_suspect", help: "Leases whose grace runs", registers }),
    overdue: new Gauge({ name: "drmp_leases_overdue", help: "Leases that can be expired", registers }),
    orphans: new Gauge({
      name: "drmp_orphaned_ranges",
      help: "Ranges of failed leases that no node was drawn for yet",
      registers,
    }),
    expired: new Counter({ name: "drmp_leases_expired_total", help: "Leases expired by this keeper", registers }),
    unconfirmed: new Counter({
      name: "drmp_expiries_unconfirmed_total",
      help: "Overdue leases that the second RPC endpoint, or a settled block, did not confirm",
      labelNames: ["why"],
      registers,
    }),
    lateness: new Histogram({
      name: "drmp_expiry_lateness_seconds",
      help: "Seconds from due time to expiry",
      buckets: [2, 4, 8, 15, 30, 60, 300],
      registers,
    }),
    batches: new Counter({
      name: "drmp_batch_steps_total",
      help: "Steps taken to reassign orphaned ranges",
      labelNames: ["step"],
      registers,
    }),
    seeds: new SeedWatch(registry, "batch"),
  };
}
