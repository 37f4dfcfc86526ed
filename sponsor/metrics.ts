import { Counter, Gauge, type Registry } from "prom-client";
import { formatEther } from "ethers";

import type { Spent } from "./ledger.ts";

/** Metrics of a sponsor. */
export function sponsorMetrics(registry: Registry, spent: () => Spent, deposit: () => bigint) {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => bigint) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(Number(formatEther(value())));
      },
    });
  gauge("drmp_sponsor_paid_eth", "ETH paid for operations today (UTC)", () => spent().paid);
  gauge(
    "drmp_sponsor_reserved_eth",
    "ETH that operations could cost which were signed for and may still come",
    () => spent().reserved,
  );
  gauge("drmp_sponsor_deposit_eth", "ETH that the paymaster has left in the entry point", deposit);
  return {
    answers: new Counter({
      name: "drmp_sponsor_answers_total",
      help: "Answers by method, and ok or why it was refused",
      labelNames: ["method", "code"],
      registers,
    }),
    operations: new Counter({
      name: "drmp_sponsor_operations_total",
      help: "Operations that the relay has sent, by how they ended",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
