import { Counter, Gauge, type Registry } from "prom-client";

/** What the energy keeper counts. */
export interface ReportsMetrics {
  readonly received: Counter;
  readonly refused: Counter<"reason">;
  readonly posted: Counter;
  readonly waiting: Gauge;
  readonly averageLoad: Gauge;
  readonly watts: Gauge;
  readonly throttled: Gauge;
}

/** Registers the metrics. */
export function reportsMetrics(registry: Registry): ReportsMetrics {
  const registers = [registry];
  return {
    received: new Counter({ name: "drmp_reports_received_total", help: "Reports that agents sent", registers }),
    refused: new Counter({
      name: "drmp_reports_refused_total",
      help: "Reports refused before any gas was paid for them, by reason",
      labelNames: ["reason"],
      registers,
    }),
    posted: new Counter({ name: "drmp_reports_posted_total", help: "Reports posted", registers }),
    waiting: new Gauge({ name: "drmp_reports_waiting", help: "Reports that wait to be posted", registers }),
    averageLoad: new Gauge({ name: "drmp_average_load_bps", help: "Average load, basis points", registers }),
    watts: new Gauge({ name: "drmp_network_watts", help: "Power of all nodes by their last reports", registers }),
    throttled: new Gauge({ name: "drmp_throttled_nodes", help: "Nodes that are throttled", registers }),
  };
}
