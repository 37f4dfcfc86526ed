import type { Lease, Task } from "@verai/client/entities";
import { RESULT_RETENTION } from "@verai/protocol/checkpoints/result-retention";

/** Time for which a paid lease's checkpoints and copies are kept, seconds: for anyone who wants to look at how it went. */
const RETENTION = 3600;

/** Leases whose results other nodes hold a copy of still. Pure; O(n). @param now Chain time, seconds. */
export function keptResults(leases: readonly Lease[], now: number): Lease[] {
  return leases.filter(
    ({ status, result }) => status === "paid" && result !== undefined && now < result.deliveredAt + RESULT_RETENTION,
  );
}

/**
 * Leases whose checkpoints are still of use, and so are kept by their node and copied by others:
 *
 * - those that can change: active, moving, delivered, disputed
 * - those that ended early (given back, expired, rejected) until their range was delivered by others: these go on from
 *   there, and they do so after the node has left
 * - those paid less than an hour ago
 *
 * Pure; O(n) in the leases, which must hold every lease that names another one of them as its parent.
 *
 * @param now Chain time, seconds.
 * @param isOpen Whether a task can still get new leases; one that cannot needs no checkpoints of leases that ended.
 */
export function keptLeases(leases: readonly Lease[], now: number, isOpen: (taskId: number) => boolean): Lease[] {
  const successors = Map.groupBy(leases, ({ parent }) => parent);
  const known = new Map<number, boolean>();
  // Whether every unit of a lease's range is delivered; successors first, whose ids are higher.
  for (const lease of leases.toSorted((a, b) => b.id - a.id)) {
    const after = successors.get(lease.id) ?? [];
    const covered = after.reduce((sum, { count }) => sum + count, 0);
    const over =
      ["delivered", "disputed", "paid"].includes(lease.status) ||
      (!["active", "moving"].includes(lease.status) &&
        covered >= lease.count &&
        after.every(({ id }) => known.get(id)));
    known.set(lease.id, over);
  }
  return leases.filter(({ id, status, taskId, result }) => {
    if (["active", "moving", "delivered", "disputed"].includes(status)) return true;
    if (status === "paid") return result !== undefined && now < result.deliveredAt + RETENTION;
    return isOpen(taskId) && !known.get(id);
  });
}

/** Whether copies of what a lease left can still be of use: of one that was paid a while ago, its result is. @param now Chain time, seconds. */
export function isOfUse({ status, result }: Pick<Lease, "status" | "result">, now: number): boolean {
  if (status === "paid") return result !== undefined && now < result.deliveredAt + RESULT_RETENTION;
  return true;
}

/** Whether a task can still get new leases that go on from the checkpoints of others, or may have to. @param now Chain time, seconds. */
export function needsCheckpoints(
  task: Pick<Task, "status" | "deadline" | "openUnits" | "leasedUnits">,
  now: number,
): boolean {
  return task.status !== "ended" && now < task.deadline && task.openUnits + task.leasedUnits > 0;
}
