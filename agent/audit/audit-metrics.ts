import { Counter, Gauge, type Registry } from "prom-client";

/** What is counted about audits. */
export interface AuditMetrics {
  /** Segments of others that were examined, by outcome: verified, unavailable, unusable, failed. */
  readonly examined: Counter<"outcome">;
  /** Transactions of audits that landed, by step. */
  readonly steps: Counter<"step">;
  /** Audits of this node's own segments that ended, by how they did. */
  readonly own: Counter<"status">;
  /** Audits in which this node has a part now, by part: verifier, producer. */
  readonly open: Gauge<"part">;
}

/** Registers the metrics. */
export function auditMetrics(registry: Registry): AuditMetrics {
  const counter = <T extends string>(name: string, help: string, label: T) =>
    new Counter({ name, help, labelNames: [label], registers: [registry] });
  return {
    examined: counter("drmp_audits_examined_total", "Segments of others that were run again, by outcome", "outcome"),
    steps: counter("drmp_audit_steps_total", "Steps of audits that this node took on chain", "step"),
    own: counter("drmp_audits_of_own_total", "Audits of this node's own segments that ended", "status"),
    open: new Gauge({
      name: "drmp_audits_open",
      help: "Audits in which this node has a part now",
      labelNames: ["part"],
      registers: [registry],
    }),
  };
}
