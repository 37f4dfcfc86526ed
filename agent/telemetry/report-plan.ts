/** What the agent knows when it decides about its reports. Times in seconds, ages since the period ended. */
export interface ReportingView {
  /** Measured and in no report yet. */
  readonly openSeconds: number;
  /** Time between two reports that the network wants. */
  readonly interval: number;
  /** Ages of the reports that the chain does not have yet. */
  readonly pending: readonly number[];
  /** Whether keepers are known. */
  readonly keepers: boolean;
  /** Age at which the node posts its reports itself. */
  readonly selfPostAfter: number;
}

/** What to do about reports now. */
export type ReportingStep = "close" | "send" | "post";

/**
 * Decides what to do about reports, in this order: close the period if the interval is over, send what is pending to
 * keepers, and post it oneself if no keeper did so in time (at once where none is known). Pure and level-triggered.
 */
export function planReports(view: ReportingView): ReportingStep[] {
  const steps: ReportingStep[] = [];
  const close = view.openSeconds >= view.interval;
  if (close) steps.push("close");
  const pending = close || view.pending.length > 0;
  if (pending && view.keepers) steps.push("send");
  const oldest = Math.max(-Infinity, ...view.pending);
  if (pending && (!view.keepers || oldest >= view.selfPostAfter)) steps.push("post");
  return steps;
}
