import type { EndReason, LeaseStatus } from "@verai/client/enums";
import { endAtPace, type Pace, WHOLE } from "./progress.ts";

/** What is left until a lease is due when it is given back for want of a checkpoint: so many seconds, at most this share. */
const LAST_SECONDS = 60;
const LAST_SHARE = 0.2;

/** How many times as fast as it was seen a lease may become and is still given back because its deadline cannot be met. */
const FASTER = 2;

/** A lease of this node, as the chain shows it. Times in seconds. */
export interface ChainLease {
  readonly id: number;
  readonly taskId: number;
  readonly start: number;
  readonly count: number;
  readonly fence: number;
  readonly status: LeaseStatus;
  /** Active: next checkpoint due. Moving: its grace ends. Delivered: anyone may accept from then on. Disputed: the arbiter's time ends. */
  readonly due: number;
  /** Seconds between checkpoints that the task asks for. */
  readonly checkpointInterval: number;
  /** A result counts only until then. */
  readonly deadline: number;
  /** Whether its task is audited: then its last segment is also posted before it is delivered. */
  readonly audited?: boolean;
  /** Newest checkpoint on chain; progress in basis points of a unit, 0 if there is none. */
  readonly checkpoint: { readonly progress: number; readonly at: number };
}

/** A lease's work on this machine. */
export interface LocalLease {
  readonly id: number;
  readonly fence: number;
  readonly running: boolean;
  readonly unitsDone: number;
  /** Work done, in basis points of a unit, as far as complete checkpoints and outputs hold it. */
  readonly progress: number;
  /** Whether a checkpoint is here that was not put together for posting yet. */
  readonly fresh?: boolean;
  /** What may be why no checkpoint is here: a name that is nearly that of one, a unit that has not started. */
  readonly hint?: string;
  /** Its units were told to end, and have not all done so: it is not started again before they have. */
  readonly ending?: boolean;
  /** When what the newest posted checkpoint holds was put together, and how long it was from then until it landed; seconds. */
  readonly posted?: { readonly captured: number; readonly took: number };
  /** How fast it got on so far, by what its programs say; left out where they say nothing. */
  readonly pace?: Pace;
  /** The work cannot be done here (its spec is missing or invalid, a unit failed for good): what went wrong. */
  readonly failure?: string;
  /** What that is to the chain, `programFailed` where it is left out. */
  readonly failureReason?: EndReason;
}

/** Why an agent gives all its leases back. */
export type Leaving = "draining" | "ownerBack";

const LEAVING: Readonly<Record<Leaving, string>> = {
  draining: "the agent is leaving",
  ownerBack: "the owner of the machine needs it",
};

/** What the agent should do about one lease. */
export type LeaseStep =
  | { readonly kind: "start"; readonly leaseId: number }
  | { readonly kind: "stop"; readonly leaseId: number; readonly why: string }
  /** Lets the workloads write a last checkpoint and leave. */
  | { readonly kind: "wind down"; readonly leaseId: number; readonly why: string }
  /** `last`: the lease is given back next, so it is waited for. */
  | { readonly kind: "checkpoint"; readonly leaseId: number; readonly last: boolean; readonly why: string }
  | { readonly kind: "deliver"; readonly leaseId: number }
  /** `unlessRenewed`: only as long as the lease is due when it was; a checkpoint may be on its way. */
  | {
      readonly kind: "release";
      readonly leaseId: number;
      readonly why: string;
      readonly reason: EndReason;
      readonly unlessRenewed?: number;
    }
  | { readonly kind: "accept"; readonly leaseId: number }
  | { readonly kind: "forget"; readonly leaseId: number };

/**
 * What to do about each lease, from what the chain says and what is on this machine. Pure and level-triggered: an agent
 * that was killed anywhere comes to the same steps again, and a step that has taken effect is not planned again.
 *
 * - A lease that the chain does not show as active under the same fence is stopped: a zombie kills its own workload.
 * - A checkpoint is begun so that it lands when an interval is over since the one before was put together: what a failure
 *   costs at any time is then an interval of work at most, if it takes no longer than half of one. Where the agent leaves, as soon
 *   as there is progress to show.
 * - A lease whose work is done is delivered, where its task is audited once its last states are posted; one that cannot be worked on, or whose task is past its deadline, is given back.
 * - So is one for which no checkpoint has come, or none could be posted, shortly before it is due: a program that makes no
 *   headway, an image that is not here yet or holders that are gone must not cost the node its stake.
 * - So is one that would not end by its task's deadline if it went on twice as fast as its programs say that it did: what comes
 *   late is not paid, and a faster node may still be in time. It has a checkpoint by then, and so costs no fee.
 * - A lease that moves to another node is wound down: its last checkpoint is posted, and it is handed over.
 *
 * O(n) in the leases.
 *
 * @param now Chain time, seconds.
 * @param leaving Why the agent gives its leases back, once their last checkpoint is posted; undefined if it keeps them.
 */
export function planLeases(
  chain: readonly ChainLease[],
  local: readonly LocalLease[],
  now: number,
  leaving: Leaving | undefined,
): LeaseStep[] {
  const steps: LeaseStep[] = [];
  const known = new Map(chain.map((lease) => [lease.id, lease]));
  const here = new Map(local.map((lease) => [lease.id, lease]));
  for (const work of local) {
    const lease = known.get(work.id);
    const stale = lease === undefined || lease.fence !== work.fence || !isOurs(lease);
    if (!stale) continue;
    if (work.running) {
      steps.push({ kind: "stop", leaseId: work.id, why: lease ? `the lease is ${lease.status}` : "no longer ours" });
    }
    // What could not be waited for keeps its folder until it has ended.
    if (work.ending !== true && (lease === undefined || !["delivered", "disputed"].includes(lease.status))) {
      steps.push({ kind: "forget", leaseId: work.id });
    }
  }
  for (const lease of chain) {
    if (["delivered", "disputed"].includes(lease.status)) {
      if (now > lease.due) steps.push({ kind: "accept", leaseId: lease.id });
      continue;
    }
    if (!isOurs(lease)) continue;
    const work = here.get(lease.id);
    steps.push(...planHeld(lease, work?.fence === lease.fence ? work : undefined, now, leaving));
  }
  return steps;
}

/** Whether a lease is the node's to work on, still. */
export function isOurs({ status }: { readonly status: LeaseStatus }): boolean {
  return status === "active" || status === "moving";
}

function planHeld(
  lease: ChainLease,
  work: LocalLease | undefined,
  now: number,
  leaving: Leaving | undefined,
): LeaseStep[] {
  const leaseId = lease.id;
  if (work?.failure !== undefined) {
    return [{ kind: "release", leaseId, why: work.failure, reason: work.failureReason ?? "programFailed" }];
  }
  if (now > lease.deadline) {
    const why = "the deadline of its task has passed";
    return [{ kind: "release", leaseId, why, reason: "deadlinePassed" }];
  }
  if (work && work.unitsDone === lease.count) {
    if (lease.audited !== true || lease.checkpoint.progress >= lease.count * WHOLE)
      return [{ kind: "deliver", leaseId }];
    if (now < lastMoment(lease, true) || now > lease.due) {
      return [{ kind: "checkpoint", leaseId, last: true, why: "an audit can ask for the end of the work" }];
    }
  }
  const usedUp = lease.checkpoint.progress >= mostProgress(lease, work);
  const ahead = !usedUp && work !== undefined && (work.progress > lease.checkpoint.progress || work.fresh === true);
  const [why, reason] = leaving === undefined ? whyLeaving(lease, work) : [LEAVING[leaving], leaving];
  if (why !== undefined) {
    // What the workloads leave behind is looked at when they have left.
    if (work?.running) return [{ kind: "wind down", leaseId, why }];
    const release: LeaseStep = { kind: "release", leaseId, why, reason };
    return ahead ? [{ kind: "checkpoint", leaseId, last: true, why }, release] : [release];
  }
  // Once it is overdue, a checkpoint may still be in time to save it.
  if (now >= lastMoment(lease, ahead) && now <= lease.due) {
    const late = ahead ? "its checkpoint could not be posted in time" : whyNoCheckpoint(work, usedUp);
    return [{ kind: "release", leaseId, why: late, reason: "noHeadway", unlessRenewed: lease.due }];
  }
  const steps: LeaseStep[] = [];
  if (!work?.running && work?.ending !== true) steps.push({ kind: "start", leaseId });
  if (ahead && now >= nextCheckpoint(lease, work.posted)) {
    steps.push({ kind: "checkpoint", leaseId, last: false, why: "the interval is over" });
  }
  return steps;
}

/** Why a lease is wound down and leaves the node, in words and to the chain; no words if it stays. */
function whyLeaving(lease: ChainLease, work: LocalLease | undefined): readonly [string | undefined, EndReason] {
  if (lease.status === "moving") return ["the work moves to another node", "givenBack"];
  const { checkpoint, checkpointInterval, count, deadline } = lease;
  if (work?.pace === undefined || checkpoint.progress === 0) return [undefined, "none"];
  const end = endAtPace(work.pace, count, checkpointInterval);
  const { at } = work.pace.last;
  if (end === undefined || at + (end - at) / FASTER <= deadline) return [undefined, "none"];
  const late = String(Math.round(end - deadline));
  return [`at its pace it would end ${late} s after the deadline of its task`, "tooSlow"];
}

/** The highest progress that a checkpoint of a lease can have before more of its units are done, basis points. */
function mostProgress({ count }: ChainLease, work: LocalLease | undefined): number {
  return count * (WHOLE - 1) + (work?.unitsDone ?? 0);
}

function whyNoCheckpoint(work: LocalLease | undefined, usedUp: boolean): string {
  if (usedUp && work?.fresh === true) {
    return "its progress has no room left to grow: have the program write progress.json, or fewer checkpoints";
  }
  return work?.hint === undefined ? "no checkpoint came in time" : `no checkpoint came in time: ${work.hint}`;
}

/**
 * When to begin the next checkpoint: an interval after the one before was begun, less the time that it took to copy, sign
 * and post, and never sooner than after half an interval. Where that is not known, as for the first or after a restart, it
 * is begun half an interval after the chain got the one before, or granted the lease.
 */
function nextCheckpoint({ checkpoint, checkpointInterval }: ChainLease, posted: LocalLease["posted"]): number {
  const { captured, took } = posted ?? { captured: checkpoint.at, took: checkpointInterval };
  return captured + Math.max(checkpointInterval - took, checkpointInterval / 2);
}

/**
 * When a lease without a new checkpoint is given back: early enough for the transaction to land before the lease is
 * overdue. A checkpoint that exists and is being posted also gets half of that margin.
 */
function lastMoment({ due, checkpoint }: ChainLease, ahead: boolean): number {
  const margin = Math.min(LAST_SECONDS, (due - checkpoint.at) * LAST_SHARE);
  return due - (ahead ? margin / 2 : margin);
}

/**
 * Leases whose work has to stop because the chain could not be asked for so long that they are overdue: they can have gone
 * to another node, and could not be renewed from here anyway. Pure.
 *
 * @param seen Chain time when it was last asked, seconds.
 * @param elapsed Time since then by this machine's clock, seconds.
 * @returns Their ids. The work is taken up again if the chain then still shows them under the same fence.
 */
export function outOfTouch(
  leases: readonly { readonly id: number; readonly due: number }[],
  seen: number,
  elapsed: number,
): number[] {
  return leases.filter(({ due }) => seen + elapsed > due).map(({ id }) => id);
}
