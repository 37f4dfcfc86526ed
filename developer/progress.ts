import type { Lease, Task } from "@verai/client/entities";
import type { LeaseIndex } from "@verai/client/lease-index";
import type { Reader } from "@verai/client/readers";

/** How far a task is. */
export interface TaskProgress {
  readonly task: Task;
  /** All its leases; progress in basis points of a unit. */
  readonly leases: readonly (Lease & { readonly progress: number })[];
  /** Share of the work that checkpoints and deliveries show, 0 to 1. */
  readonly share: number;
}

/**
 * How far a task is now, from what the chain says. Refreshes the index.
 *
 * @throws Error if there is no such task.
 */
export async function taskProgress(reader: Reader, index: LeaseIndex, taskId: number): Promise<TaskProgress> {
  const { block } = await index.refresh();
  const task = await reader.task(block, taskId);
  if (!task) throw new Error(`There is no task ${String(taskId)} on this chain.`);
  const own = index.all().filter((lease) => lease.taskId === taskId);
  const checkpoints = await reader.checkpoints(
    block,
    own.map(({ id }) => id),
  );
  const leases = own.map((lease) => ({
    ...lease,
    progress: lease.result ? lease.count * 10_000 : (checkpoints.get(lease.id)?.progress ?? 0),
  }));
  const live = leases.filter(({ status }) => !["released", "expired", "rejected"].includes(status));
  const done = live.reduce((sum, { progress }) => sum + progress, 0);
  return { task, leases, share: done / (task.units * 10_000) };
}
