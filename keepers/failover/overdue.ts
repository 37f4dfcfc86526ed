/** What the failover keeper needs of a lease. Times in seconds. */
export interface LeaseSign {
  readonly id: number;
  readonly status: "active" | "other";
  /** Time at which the next checkpoint is due. */
  readonly due: number;
  /** Deadline of the task. */
  readonly deadline: number;
}

/** A lease that can be expired, and why. */
export interface Overdue {
  readonly leaseId: number;
  readonly reason: "checkpoint overdue" | "task past its deadline";
}

/**
 * Leases that the chain lets anyone expire at time `now`, the longest overdue first. Pure; O(n log n).
 *
 * Only what the chain itself says counts: a lease is never overdue because a call for it failed.
 */
export function overdueLeases(leases: readonly LeaseSign[], now: number): Overdue[] {
  return leases
    .filter((lease) => lease.status === "active" && (now > lease.due || now > lease.deadline))
    .sort((a, b) => Math.min(a.due, a.deadline) - Math.min(b.due, b.deadline))
    .map((lease) => ({
      leaseId: lease.id,
      reason: now > lease.due ? "checkpoint overdue" : "task past its deadline",
    }));
}
