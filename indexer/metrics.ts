import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import type { Standing } from "./indexer.ts";

/** Metrics of an indexer. */
export function indexerMetrics(registry: Registry, standing: () => Standing, readers: () => number) {
  const registers = [registry];
  new Gauge({
    name: "drmp_indexer_block",
    help: "Block up to which history is complete",
    registers,
    collect() {
      this.set(standing().position?.number ?? 0);
    },
  });
  new Gauge({
    name: "drmp_indexer_blocks_behind",
    help: "Blocks that history is behind the chain's newest block",
    registers,
    collect() {
      const { head, position } = standing();
      this.set(Math.max(0, (head?.number ?? 0) - (position?.number ?? 0)));
    },
  });
  new Gauge({
    name: "drmp_indexer_at_head",
    help: "1 while history is at the chain's newest block",
    registers,
    collect() {
      this.set(standing().atHead ? 1 : 0);
    },
  });
  new Gauge({
    name: "drmp_indexer_live_readers",
    help: "Readers of live updates",
    registers,
    collect() {
      this.set(readers());
    },
  });
  return {
    events: new Counter({ name: "drmp_indexer_events_total", help: "Events taken in", registers }),
    undone: new Counter({ name: "drmp_indexer_reorganisations_total", help: "Reorganisations undone", registers }),
    answers: new Histogram({
      name: "drmp_indexer_answer_seconds",
      help: "Time to make an answer of the API",
      labelNames: ["path", "status"],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
  };
}
