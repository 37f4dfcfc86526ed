import { MAX_SHARES } from "@verai/client/energy-report";

/** What the agent knows when it decides about its reports. Times in seconds. */
export interface ReportingView {
  /** Measured since the last report was signed. */
  readonly seconds: number;
  /** Since the chain took the node's last report. */
  readonly sinceTaken: number;
  /** Time between two reports that the network wants. */
  readonly interval: number;
  /** Whether this run of the agent has signed a report yet. */
  readonly isFirst: boolean;
  /** Age of the oldest signed report since which the chain has taken none; undefined if nothing waits. */
  readonly waiting: number | undefined;
  /** Whether keepers are known. */
  readonly keepers: boolean;
  /** Age at which the node posts its report itself. */
  readonly selfPostAfter: number;
}

/** Seconds that the first report of a run measures at least: less of them would show the load of the agent's own start. */
const FIRST_SECONDS = 30;

/** What to do about reports now. */
export type ReportingStep = "sign" | "send" | "post";

/**
 * Decides what to do about reports, in this order: sign one if the interval is over, send it to keepers, and post it
 * oneself if no keeper did so in time (at once where none is known). Pure and level-triggered.
 */
export function planReports(view: ReportingView): ReportingStep[] {
  const steps: ReportingStep[] = [];
  // An agent that was started again need not measure for a whole interval while the network waits for its report.
  const isAwaited = view.isFirst && view.sinceTaken >= view.interval;
  const isDue = view.seconds >= (isAwaited ? Math.min(view.interval, FIRST_SECONDS) : view.interval);
  if (isDue) steps.push("sign");
  const pending = isDue || view.waiting !== undefined;
  if (pending && view.keepers) steps.push("send");
  if (pending && (!view.keepers || (view.waiting ?? 0) >= view.selfPostAfter)) steps.push("post");
  return steps;
}

/** What the agent knows when it decides whether to report its energy. Times in seconds. */
export interface EnergyView {
  /** Measured and not reported. */
  readonly seconds: number;
  /** Time after which the energy is reported at the latest. */
  readonly energyInterval: number;
  /** Time between two reports of any kind. */
  readonly interval: number;
  /** Leases that have energy which is not reported. */
  readonly leases: number;
  /** Whether one of them has ended. */
  readonly isOneOver: boolean;
}

/**
 * Decides whether to report the energy: rarely, when a lease is over (so that it can be set against its baseline), or before
 * more leases have run than a report can name. Pure.
 */
export function isEnergyDue({ seconds, energyInterval, interval, leases, isOneOver }: EnergyView): boolean {
  if (seconds < 1) return false;
  return seconds >= energyInterval || (seconds >= interval && (isOneOver || leases >= MAX_SHARES));
}
