/** What the failover keeper knows of an active lease, at one block. Times in seconds. */
export interface LeaseSign {
  readonly id: number;
  readonly nodeId: number;
  /** When its next sign of life is due, the grace included. */
  readonly due: number;
  /** Deadline of the task. */
  readonly deadline: number;
  /** Whether the node has missed its reports, and posted no checkpoint of the lease for as long. */
  readonly silent: boolean;
}

/** A lease that does not show the life that it should, and why. */
export interface Ailing {
  readonly leaseId: number;
  readonly nodeId: number;
  readonly reason: "checkpoint overdue" | "task past its deadline" | "node silent";
  /** Since when; for a suspect, when it becomes overdue. Unknown for a silent node. */
  readonly at?: number;
}

/** Leases whose interval is over while the grace still runs, and leases that the chain lets anyone expire. */
export interface Health {
  readonly suspect: readonly Ailing[];
  readonly overdue: readonly Ailing[];
}

/**
 * Tells leases in time from suspect and overdue ones, as `LeaseRegistry.healthOf` does; the longest overdue first. Pure;
 * O(n log n).
 *
 * Only what the chain itself says counts: a lease is never overdue because a call for it failed.
 *
 * @param now Chain time.
 * @param grace Time that the chain gives after a checkpoint interval, seconds.
 * @param outageUntil Until then no node counts as failed, because the chain itself stood still; 0 if it did not.
 */
export function healthOf(leases: readonly LeaseSign[], now: number, grace: number, outageUntil = 0): Health {
  const suspect: Ailing[] = [];
  const overdue: Ailing[] = [];
  const failed = now > outageUntil ? overdue : suspect;
  for (const { id, nodeId, due, deadline, silent } of leases) {
    const lease = { leaseId: id, nodeId };
    if (now > deadline) overdue.push({ ...lease, reason: "task past its deadline", at: deadline });
    else if (now > due) failed.push({ ...lease, reason: "checkpoint overdue", at: due });
    else if (silent) failed.push({ ...lease, reason: "node silent" });
    else if (now > due - grace) suspect.push({ ...lease, reason: "checkpoint overdue", at: due });
  }
  const first = (a: Ailing, b: Ailing) => (a.at ?? Infinity) - (b.at ?? Infinity) || a.leaseId - b.leaseId;
  return { suspect: suspect.sort(first), overdue: overdue.sort(first) };
}
