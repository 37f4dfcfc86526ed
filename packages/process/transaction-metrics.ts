import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import type { TransactionEvent } from "@verai/client/tx/types";
import type { Logger } from "./logger.ts";

/**
 * Counts and logs what happens in a transaction queue.
 *
 * @returns A listener for `TransactionQueueOptions.onEvent`.
 */
export function transactionMetrics(registry: Registry, logger: Logger): (event: TransactionEvent) => void {
  const events = new Counter({
    name: "drmp_transactions_total",
    help: "What happened to transactions, by kind",
    labelNames: ["kind"],
    registers: [registry],
  });
  const gas = new Counter({ name: "drmp_gas_used_total", help: "Gas used by transactions", registers: [registry] });
  const spent = new Counter({
    name: "drmp_gas_spent_wei_total",
    help: "Wei spent on gas and on the L1 data fee",
    registers: [registry],
  });
  const nonce = new Gauge({ name: "drmp_nonce", help: "Nonce of the newest transaction sent", registers: [registry] });
  const confirmed = new Histogram({
    name: "drmp_confirmation_seconds",
    help: "Time from sending a transaction to its confirmation",
    buckets: [1, 2, 4, 8, 15, 30, 60, 120, 300],
    registers: [registry],
  });
  return (event) => {
    events.inc({ kind: event.kind });
    if (event.kind === "sent") nonce.set(event.nonce);
    if (event.kind === "confirmed") confirmed.observe(event.waitedMs / 1000);
    if (event.kind === "confirmed" || event.kind === "reverted") {
      const { gasUsed, gasPrice, l1Fee } = event.cost;
      gas.inc(Number(gasUsed));
      spent.inc(Number(gasUsed * gasPrice + l1Fee));
      logger.info({ transaction: event.hash, gas: Number(gasUsed) }, `${event.label}: ${event.kind}`);
    } else if ("error" in event) {
      logger.warn({ err: event.error, kind: event.kind }, `${event.label}: ${event.kind}`);
    } else {
      logger.debug({ kind: event.kind }, `${event.label}: ${event.kind}`);
    }
  };
}
