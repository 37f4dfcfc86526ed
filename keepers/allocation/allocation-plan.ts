import type { RoundStatus } from "@verai/client/enums";
import { sizeOf, type Tries } from "./tries.ts";

/** What the allocation keeper sees of the chain, at one block. Times in seconds. */
export interface AllocationView {
  /** Timestamp of the block. */
  readonly now: number;
  readonly round: {
    readonly id: number;
    readonly status: RoundStatus;
    readonly openedAt: number;
    /** Whether its seed has come. */
    readonly seeded: boolean;
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
  /** Maximum pending listings that the opening of a round applies itself. */
  readonly pendingAtOpen: number;
  /** Ids in the queue, and whether a round could take each of them, as far as looked at. */
  readonly queue: readonly { readonly taskId: number; readonly servable: boolean }[];
  /** How many stand in the queue at all. */
  readonly queueLength: number;
  /** Parked tasks that a round could take and that pay for their stay in the queue, as far as looked at. */
  readonly parked: readonly number[];
  /** Tasks whose release fees can be distributed, or that have to be closed first, as far as looked at. */
  readonly fees: readonly { readonly taskId: number; readonly ended: boolean }[];
  /** Maximum tasks in a round. */
  readonly roundMaxTasks: number;
  /** How many places of the queue the opening of a round looks at. */
  readonly looks: number;
  /** When the newest and the oldest task of the queue that can be served were submitted. */
  readonly newestSubmission: number;
  readonly oldestSubmission: number;
  /** How long the newest task waits for company before a round is opened. */
  readonly minRoundAge: number;
}

/** What the keeper should do next, and why. */
export type AllocationStep =
  | { readonly kind: "settle"; readonly roundId: number; readonly why: string }
  | { readonly kind: "abort"; readonly roundId: number; readonly why: string }
  | { readonly kind: "sync"; readonly count: number; readonly why: string }
  | { readonly kind: "park"; readonly count: number; readonly why: string }
  | { readonly kind: "enqueue"; readonly taskIds: readonly number[]; readonly why: string }
  | { readonly kind: "open"; readonly why: string }
  | { readonly kind: "close" | "distribute"; readonly taskId: number; readonly why: string }
  | { readonly kind: "wait"; readonly why: string };

/** Listings that a step brings up to date at least, if there are so many: one entry can stand for all nodes of a barred owner. */
const SYNC_AT_ONCE = 128;

const batchWords = { open: "is being drawn for", "has its turn": "has its turn before the next round" };

/** A task never waits for company longer than this many times {@link AllocationView.minRoundAge}, however many come after it. */
const MAX_WAIT = 4;

/**
 * Decides the next step from what the chain says now. Pure and level-triggered: the same view always gives the same
 * step, so a keeper that was killed, or a second one, goes on from wherever things stand.
 *
 * O(queue entries in the view).
 *
 * @param tries What became of steps that were refused: these are tried smaller, or passed over for a while.
 */
export function nextStep(view: AllocationView, tries: Tries = {}): AllocationStep {
  const step = nextForRounds(view, tries);
  // No round waits for fees: they are seen to where nothing else is due.
  const [first] = view.fees;
  if (step.kind !== "wait" || first === undefined || sizeOf(tries, "fees", 1, view.now) === 0) return step;
  const { taskId, ended } = first;
  return ended
    ? { kind: "distribute", taskId, why: `task ${String(taskId)} has ended and release fees are held under it` }
    : { kind: "close", taskId, why: `task ${String(taskId)} is past its deadline and release fees are held under it` };
}

function nextForRounds(view: AllocationView, tries: Tries): AllocationStep {
  const { round, now } = view;
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
  const batchGoesFirst = view.batch && `a batch of orphaned ranges ${batchWords[view.batch]}`;
  if (batchGoesFirst !== undefined && view.batch === "open") return { kind: "wait", why: batchGoesFirst };
  const size = (step: keyof Tries, wanted: number) => sizeOf(tries, step, wanted, now);
  // An opening that was refused leaves what it would have done itself to steps of their own. A batch is opened by others, who
  // cannot open it before what is too much for them is done either.
  const refused = tries.open !== undefined;
  const pending =
    view.pendingListings > (refused || batchGoesFirst !== undefined ? 0 : view.pendingAtOpen)
      ? size("sync", Math.max(view.pendingListings, SYNC_AT_ONCE))
      : 0;
  if (pending > 0) return { kind: "sync", count: pending, why: "listings changed during the last round" };
  if (batchGoesFirst !== undefined) return { kind: "wait", why: batchGoesFirst };

  const servable = view.queue.filter((entry) => entry.servable);
  const room = Math.max(0, view.roundMaxTasks - servable.length);
  const back = size("enqueue", Math.min(room, view.parked.length));
  if (back > 0 && !view.intakePaused) {
    return { kind: "enqueue", taskIds: view.parked.slice(0, back), why: "parked tasks can be served again" };
  }

  if (view.queueLength === 0) return { kind: "wait", why: "no task is waiting" };
  const first = view.queue.findIndex((entry) => entry.servable);
  // Whatever stands behind what was looked at may be servable.
  const blocking = first >= 0 ? first : view.queue.length < view.queueLength ? view.queue.length : 0;
  const inTheWay = blocking > (refused || first < 0 ? 0 : view.looks - 1) ? size("park", blocking) : 0;
  if (inTheWay > 0) {
    return { kind: "park", count: inTheWay, why: `${String(blocking)} tasks that no round can serve block the queue` };
  }
  if (first < 0) return { kind: "wait", why: "nothing listed serves a waiting task at its price" };
  if (view.intakePaused) return { kind: "wait", why: "intake is paused by the guardian" };
  if (now < view.nextOpening) {
    return { kind: "wait", why: `the next round can open in ${String(view.nextOpening - now)} s` };
  }
  const companyUntil = Math.min(
    view.newestSubmission + view.minRoundAge,
    view.oldestSubmission + MAX_WAIT * view.minRoundAge,
  );
  if (now < companyUntil) {
    return { kind: "wait", why: `more tasks may join for another ${String(companyUntil - now)} s` };
  }
  if (size("open", 1) === 0) {
    return {
      kind: "wait",
      why: `opening was refused; the next try is in ${String((tries.open?.until ?? now) - now)} s`,
    };
  }
  return { kind: "open", why: `${String(servable.length)} tasks wait` };
}
