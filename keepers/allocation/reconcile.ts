/** What the allocation keeper sees of the chain, at one block. Times in seconds. */
export interface AllocationView {
  /** Timestamp of the block. */
  readonly now: number;
  readonly round: {
    readonly id: number;
    readonly status: "none" | "seeding" | "settling" | "settled" | "aborted";
    readonly openedAt: number;
  };
  /** Earliest time at which a round can be opened. */
  readonly nextOpening: number;
  readonly seedTimeout: number;
  readonly settleTimeout: number;
  readonly intakePaused: boolean;
  /** What holds rounds back: a batch of orphaned ranges is open, or has its turn; undefined if nothing does. */
  readonly batch: "open" | "has its turn" | undefined;
  /** Listings that wait to be brought up to date. */
  readonly pendingListings: number;
  /** Most pending listings that the opening of a round works off itself. */
  readonly pendingAtOpen: number;
  /** Ids in the queue, and whether each can be served by something listed, as far as looked at. */
  readonly queue: readonly { readonly taskId: number; readonly servable: boolean }[];
  /** How many places of the queue the opening of a round looks at. */
  readonly looks: number;
  /** When the newest task of the queue was submitted. */
  readonly newestSubmission: number;
  /** How long the newest task waits for company before a round is opened. */
  readonly batchSeconds: number;
}

/** What the keeper should do next, and why. */
export type AllocationStep =
  | { readonly kind: "settle"; readonly roundId: number; readonly why: string }
  | { readonly kind: "abort"; readonly roundId: number; readonly why: string }
  | { readonly kind: "sync"; readonly count: number; readonly why: string }
  | { readonly kind: "rotate"; readonly count: number; readonly why: string }
  | { readonly kind: "open"; readonly why: string }
  | { readonly kind: "wait"; readonly why: string };

const batchWords = { open: "is being drawn for", "has its turn": "has its turn before the next round" };

/**
 * Decides the next step from what the chain says now. Pure and level-triggered: the same view always gives the same
 * step, so a keeper that was killed, or a second one, goes on from wherever things stand.
 *
 * O(queue entries in the view).
 */
export function nextStep(view: AllocationView): AllocationStep {
  const { round } = view;
  if (round.status === "settling") {
    const until = round.openedAt + view.seedTimeout + view.settleTimeout;
    if (view.now > until) {
      return { kind: "abort", roundId: round.id, why: `round ${String(round.id)} was not settled in time` };
    }
    return { kind: "settle", roundId: round.id, why: `the seed of round ${String(round.id)} has arrived` };
  }
  if (round.status === "seeding") {
    if (view.now > round.openedAt + view.seedTimeout) {
      return { kind: "abort", roundId: round.id, why: `the oracle did not answer round ${String(round.id)} in time` };
    }
    return { kind: "wait", why: `round ${String(round.id)} waits for its seed` };
  }
  // What came before: the work of nodes that failed goes on first, in turns with rounds.
  if (view.batch !== undefined) return { kind: "wait", why: `a batch of orphaned ranges ${batchWords[view.batch]}` };
  if (view.pendingListings > view.pendingAtOpen) {
    return { kind: "sync", count: view.pendingListings, why: "listings changed during the last round" };
  }
  const first = view.queue.findIndex((entry) => entry.servable);
  if (view.queue.length === 0) return { kind: "wait", why: "no task is waiting" };
  if (first < 0) return { kind: "wait", why: "nothing listed serves a waiting task at its price" };
  if (view.intakePaused) return { kind: "wait", why: "intake is paused by the guardian" };
  if (first >= view.looks) {
    return { kind: "rotate", count: first, why: `${String(first)} tasks that nothing serves block the queue` };
  }
  if (view.now < view.nextOpening) {
    return { kind: "wait", why: `the next round can open in ${String(view.nextOpening - view.now)} s` };
  }
  const batchUntil = view.newestSubmission + view.batchSeconds;
  if (view.now < batchUntil) {
    return { kind: "wait", why: `more tasks may join for another ${String(batchUntil - view.now)} s` };
  }
  return { kind: "open", why: `${String(view.queue.length)} tasks wait` };
}
