import { Counter, Gauge, type Registry } from "prom-client";

/** What the keeper of audits counts. */
export interface AuditsMetrics {
  /** Audits that have not ended. */
  readonly running: Gauge;
  /** Segments that wait for a seed. */
  readonly waiting: Gauge;
  /** Seconds for which the newest epoch has waited for its seed. */
  readonly unanswered: Gauge;
  /** Steps taken, by kind. */
  readonly steps: Counter<"step">;
}

/** Registers the metrics. */
export function auditsMetrics(registry: Registry): AuditsMetrics {
  const registers = [registry];
  return {
    running: new Gauge({ name: "drmp_audits_running", help: "Audits that have not ended", registers }),
    waiting: new Gauge({ name: "drmp_audit_segments_waiting", help: "Segments that wait for a seed", registers }),
    unanswered: new Gauge({
      name: "drmp_audit_epoch_unanswered_seconds",
      help: "Time for which the newest epoch has waited for its seed",
      registers,
    }),
    steps: new Counter({
      name: "drmp_audit_steps_total",
      help: "Steps of audits taken by this keeper",
      labelNames: ["step"],
      registers,
    }),
  };
}
