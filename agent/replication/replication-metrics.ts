import { Counter, Histogram, type Registry } from "prom-client";

/** What is counted about receipts and spot checks. */
export interface ReplicationMetrics {
  /** Receipts given to others. */
  readonly given: Counter;
  /** Requests refused. */
  readonly refused: Counter;
  /** Receipts got from others. */
  readonly got: Counter;
  /** Holders passed over while asking. */
  readonly passedOver: Counter;
  /** Seconds from asking for the first receipt to having all. */
  readonly seconds: Histogram;
  /** Holders that were asked for a random leaf, by outcome: held, failed, unanswered. */
  readonly spotChecks: Counter<"outcome">;
}

/** Registers the metrics. */
export function replicationMetrics(registry: Registry): ReplicationMetrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  return {
    given: counter("drmp_receipts_given_total", "Receipts given for other nodes' checkpoints"),
    refused: counter("drmp_receipts_refused_total", "Requests for receipts that were refused"),
    got: counter("drmp_receipts_got_total", "Receipts got for this node's checkpoints"),
    passedOver: counter("drmp_holders_passed_over_total", "Holders that gave no receipt when asked"),
    seconds: new Histogram({
      name: "drmp_receipts_seconds",
      help: "Seconds until all receipts of a checkpoint had arrived",
      buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
      registers: [registry],
    }),
    spotChecks: new Counter({
      name: "drmp_spot_checks_total",
      help: "Holders that were asked for a random leaf of what they signed for, by outcome",
      labelNames: ["outcome"],
      registers: [registry],
    }),
  };
}
