import type { Lease, Task } from "../../chain/entities.ts";
import { LeaseIndex } from "../../chain/lease-index.ts";
import type { Pin } from "../../chain/pin.ts";
import { keptLeases } from "../node/retention.ts";
import type { AgentParts } from "../parts.ts";
import { leaseProgress } from "./bundle.ts";
import type { ChainLease, LocalLease } from "./plan.ts";
import type { LeaseWork } from "./work.ts";

/** What this node holds: its leases on chain, and the work on them here. */
export class Holdings {
  readonly index: LeaseIndex;
  /** Work under way or ended, by lease id. */
  readonly works = new Map<number, LeaseWork>();
  readonly #tasks = new Map<number, Task>();
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.index = new LeaseIndex(parts.session.reader);
  }

  /** The node's leases that are live on chain, or were begun here. */
  async onChain(pin: Pin): Promise<ChainLease[]> {
    const { session, nodeId, workspace } = this.#parts;
    const begun = new Set((await workspace.records()).map(({ leaseId }) => leaseId));
    const own = this.index.all().filter((lease) => lease.nodeId === nodeId && (begun.has(lease.id) || isLive(lease)));
    const checkpoints = await session.reader.checkpoints(
      pin,
      own.map(({ id }) => id),
    );
    const { leaseGrace } = await session.reader.parameters(pin);
    return Promise.all(
      own.map(async (lease) => {
        const { checkpointInterval, deadline } = await this.task(lease.taskId, pin);
        const newest = checkpoints.get(lease.id);
        // Without a checkpoint the interval runs from the grant, which the first due time tells.
        const checkpoint = newest ?? { progress: 0, at: lease.due - checkpointInterval - leaseGrace };
        return { ...lease, status: lease.status as ChainLease["status"], checkpointInterval, deadline, checkpoint };
      }),
    );
  }

  /** What is on this machine of any lease. */
  async here(): Promise<LocalLease[]> {
    const records = await this.#parts.workspace.records();
    const works = [...this.works.values()].map(({ lease }) => ({ leaseId: lease.id, ...lease }));
    const known = new Map(
      [...works, ...records].map((each) => [`${String(each.leaseId)}-${String(each.fence)}`, each]),
    );
    return Promise.all(
      [...known.values()].map(async ({ leaseId, fence, start, count }) => {
        const work = this.works.get(leaseId);
        const current = work?.lease.fence === fence ? work : undefined;
        const progress = await leaseProgress(this.#parts.workspace.folder(leaseId, fence), start, count);
        return {
          id: leaseId,
          fence,
          running: current?.running ?? false,
          unitsDone: progress.unitsDone,
          progress: progress.total,
          ...(current?.failure !== undefined && { failure: current.failure }),
        };
      }),
    );
  }

  /** Leases whose checkpoints are still of use. */
  async kept(pin: Pin): Promise<Lease[]> {
    const leases = this.index.all();
    const open = new Set<number>();
    for (const { taskId, status } of leases) {
      if (!["released", "expired", "rejected"].includes(status) || open.has(taskId)) continue;
      if (pin.timestamp < (await this.task(taskId, pin)).deadline) open.add(taskId);
    }
    return keptLeases(leases, pin.timestamp, (taskId) => open.has(taskId));
  }

  /** A task. What an agent reads of it never changes, so it is read once. */
  async task(taskId: number, pin: Pin): Promise<Task> {
    const known = this.#tasks.get(taskId);
    if (known) return known;
    const task = await this.#parts.session.reader.task(pin, taskId);
    if (!task) throw new Error(`task ${String(taskId)} is not on the chain`);
    this.#tasks.set(taskId, task);
    return task;
  }
}

function isLive(lease: Lease): boolean {
  return ["active", "moving", "delivered", "disputed"].includes(lease.status);
}
