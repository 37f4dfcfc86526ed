import { Counter, Gauge, type Registry } from "prom-client";

import type { MachineSample } from "./sampler.ts";

/** What an agent shows of its machine. */
export interface TelemetryMetrics {
  readonly observe: (sample: MachineSample) => void;
  readonly pending: Gauge;
  readonly latency: Gauge;
}

/** Registers the metrics. */
export function telemetryMetrics(registry: Registry): TelemetryMetrics {
  const registers = [registry];
  const labelNames = ["method"] as const;
  const joules = new Counter({
    name: "drmp_node_joules_total",
    help: "Energy, by measurement method: rapl and nvml are measured, the rest is estimated",
    labelNames,
    registers,
  });
  const auditJoules = new Counter({
    name: "drmp_audit_joules_total",
    help: "Energy of segments of others' work that were run again, part of the node's and no lease's",
    registers,
  });
  const watts = new Gauge({
    name: "drmp_node_watts",
    help: "Average power since the sample before",
    labelNames,
    registers,
  });
  const load = new Gauge({ name: "drmp_node_load", help: "Share of the machine in use, 0 to 1", registers });
  const idle = new Counter({
    name: "drmp_idle_unit_seconds_total",
    help: "Unit-seconds of work while the machine's owner left it idle",
    registers,
  });
  return {
    observe: ({ seconds, method, ...sample }) => {
      joules.inc({ method }, sample.joules);
      auditJoules.inc(sample.auditJoules);
      watts.set({ method }, seconds > 0 ? sample.joules / seconds : 0);
      load.set(sample.load);
      idle.inc(sample.idleUnitSeconds);
    },
    pending: new Gauge({ name: "drmp_reports_pending", help: "Reports that the chain does not have yet", registers }),
    latency: new Gauge({ name: "drmp_peer_latency_ms", help: "Median round trip to the peers", registers }),
  };
}
