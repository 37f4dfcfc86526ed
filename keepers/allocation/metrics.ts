import { Counter, Gauge, type Registry } from "prom-client";

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
  /** Notes what a settled round says of the market. */
  readonly report: (outcome: RoundOutcome) => void;
}

/** The market as a settled round shows it. */
export interface RoundOutcome {
  /** Clearing price per class, in VER for a unit. */
  readonly clearing: readonly { readonly className: string; readonly price: number }[];
  /** Units that stayed open. */
  readonly unmet: number;
}

/** Registers the metrics. */
export function allocationMetrics(registry: Registry): AllocationMetrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const clearing = new Gauge({
    name: "drmp_clearing_price_ver",
    help: "Clearing price of the last settled round, VER for a unit",
    labelNames: ["class"],
    registers: [registry],
  });
  const unmet = new Gauge({
    name: "drmp_unmet_demand_units",
    help: "Units that the last settled round left open",
    registers: [registry],
  });
  return {
    planned: counter("drmp_plans_made_total", "Rounds planned with a certificate"),
    posted: counter("drmp_plans_posted_total", "Posts that settled a round"),
    lost: counter("drmp_plans_lost_total", "Transactions that somebody else's made unnecessary"),
    refused: counter("drmp_plans_refused_total", "Plans refused by their own certificate"),
    report: (outcome) => {
      for (const { className, price } of outcome.clearing) clearing.set({ class: className }, price);
      unmet.set(outcome.unmet);
    },
  };
}
