import { refusalOf, type ReportFacts } from "@verai/client/report-refusal";
import type { SignedReport } from "@verai/client/report";
import type { ReportRefusal } from "@verai/client/enums";
import { gasOf, type ReportInbox } from "./inbox.ts";

/** How much goes into a batch, and how long reports wait for it. */
export interface BatchBounds {
  readonly reports: number;
  /** Of the whole transaction, by {@link gasOf}. */
  readonly gas: number;
  /** Milliseconds that a report waits for others. */
  readonly waitMs: number;
}

/** What a look at the inbox says. */
export interface BatchPlan {
  /** To be posted now; empty if others may still join. */
  readonly post: readonly SignedReport[];
  /** Never to be taken, and why. */
  readonly refused: readonly { readonly signed: SignedReport; readonly reason: ReportRefusal }[];
  /** Milliseconds that the oldest good report has waited. */
  readonly oldestMs: number;
}

/**
 * Chooses what to post: every report is judged as the chain will judge it. Pure; O(reports).
 *
 * @param facts What a node's reports are held against; undefined if there is no such node.
 * @param now Milliseconds since 1970.
 */
export function planBatch(
  inbox: ReportInbox,
  facts: (nodeId: number) => ReportFacts | undefined,
  bounds: BatchBounds,
  now: number,
): BatchPlan {
  const good: { readonly signed: SignedReport; readonly at: number; readonly gas: number }[] = [];
  const refused: { signed: SignedReport; reason: ReportRefusal }[] = [];
  for (const { signed, at } of inbox.waiting()) {
    const against = facts(signed.report.nodeId);
    const reason = refusalOf(signed, against);
    if (reason === undefined) good.push({ signed, at, gas: gasOf(against?.sequence === 0) });
    else refused.push({ signed, reason });
  }
  const oldestMs = Math.max(0, ...good.map(({ at }) => now - at));
  const post: SignedReport[] = [];
  let sum = 0;
  for (const { signed, gas } of good) {
    sum += gas;
    if (post.length >= bounds.reports || (sum > bounds.gas && post.length > 0)) break;
    post.push(signed);
  }
  const full = post.length < good.length || post.length >= bounds.reports;
  return { post: full || oldestMs >= bounds.waitMs ? post : [], refused, oldestMs };
}
