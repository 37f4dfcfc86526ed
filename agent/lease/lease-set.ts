import type { Task } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { systemCode } from "@verai/system/durable";
import { isLive, type Look, OwnLeases } from "../node/own-leases.ts";
import type { AgentContext } from "../context.ts";
import { leaseProgress, type Progress } from "./bundle.ts";
import type { ChainLease, LocalLease } from "./lease-plan.ts";
import { isAudited } from "../audit/segment-posts.ts";
import { notePace, type Pace } from "./progress.ts";
import type { LeaseWork } from "./work.ts";

/** What the system answers while it is short of something. */
const MAY_PASS = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EBUSY", "ESTALE", "ETIMEDOUT"]);

/** What this node holds: its leases on chain, and the work on them here. */
export class LeaseSet {
  readonly leases: OwnLeases;
  /** Work under way or ended, by lease id. */
  readonly works = new Map<number, LeaseWork>();
  readonly #tasks = new Map<number, Task>();
  /** What was last said about each lease. */
  readonly #told = new Map<number, string>();
  /** How far each lease was when it was last looked at, by id and fence. */
  readonly #progressBefore = new Map<string, Progress>();
  /** How fast each lease gets on, by id and fence. */
  #paces = new Map<string, Pace>();
  readonly #context: AgentContext;

  constructor(context: AgentContext) {
    this.#context = context;
    this.leases = new OwnLeases({ ...context, file: context.leasesFile });
  }

  /** One look at the chain: this node's leases that are live, or were begun here, and what else the agent decides by. */
  async look(): Promise<Look> {
    const begun = await this.#context.workspace.begun();
    return this.leases.look([...new Set(begun.map(({ leaseId }) => leaseId))]);
  }

  /** The node's leases that are live on chain, or were begun here, as a look has shown them. */
  async onChain({ block, checkpoints, parameters }: Look): Promise<ChainLease[]> {
    const { leaseGrace } = parameters;
    return Promise.all(
      this.leases.all().map(async (lease) => {
        const task = await this.task(lease.taskId, block);
        const { checkpointInterval, deadline } = task;
        const newest = checkpoints.get(lease.id);
        // Without a checkpoint the interval runs from the grant, which the first due time tells.
        const checkpoint = newest ?? { progress: 0, at: lease.due - checkpointInterval - leaseGrace };
        const audited = isAudited(task);
        return { ...lease, status: lease.status, checkpointInterval, deadline, audited, checkpoint };
      }),
    );
  }

  /** What is on this machine of any lease. @param now Chain time, seconds. */
  async here(now: number): Promise<LocalLease[]> {
    const begun = await this.#context.workspace.begun();
    const records = begun.flatMap(({ record }) => record ?? []);
    const works = [...this.works.values()].map(({ lease }) => ({ leaseId: lease.id, ...lease }));
    const known = new Map(
      [...works, ...records].map((each) => [`${String(each.leaseId)}-${String(each.fence)}`, each]),
    );
    const paces = new Map<string, Pace>();
    const here = await Promise.all(
      [...known].map(async ([key, { leaseId, fence, start, count }]) => {
        const work = this.works.get(leaseId);
        const current = work?.lease.fence === fence ? work : undefined;
        const progress = await this.#progress(leaseId, fence, start, count);
        const failure = current?.failure ?? progress.failure;
        const hint = progress.misnamed ?? current?.waiting;
        if (hint !== undefined) this.#tell(leaseId, hint);
        const before = this.#paces.get(key);
        const pace = progress.stated === undefined ? before : notePace(before, now, progress.stated);
        if (pace) paces.set(key, pace);
        return {
          id: leaseId,
          fence,
          running: current?.running ?? false,
          ending: work?.ending ?? false,
          unitsDone: progress.unitsDone,
          progress: progress.total,
          fresh: progress.fresh,
          ...(pace !== undefined && { pace }),
          ...(hint !== undefined && { hint }),
          ...(failure !== undefined && { failure }),
          ...(current?.failure !== undefined && { failureReason: current.failureReason }),
        };
      }),
    );
    this.#paces = paces;
    // Folders without a record are of use to no lease that is over.
    const leftovers = begun.filter(({ leaseId, fence, record }) => {
      const lease = this.leases.get(leaseId);
      const isOver = lease !== undefined && !(isLive(lease) && lease.fence === fence);
      return record === undefined && isOver && !this.works.has(leaseId);
    });
    const none = { running: false, unitsDone: 0, progress: 0 };
    return [...here, ...leftovers.map(({ leaseId, fence }) => ({ id: leaseId, fence, ...none }))];
  }

  /** How far a lease is. What is wrong with the files of one is that lease's failure, and no other's. */
  async #progress(
    leaseId: number,
    fence: number,
    start: number,
    count: number,
  ): Promise<Progress & { failure?: string }> {
    const key = `${String(leaseId)}-${String(fence)}`;
    try {
      const progress = await leaseProgress(this.#context.workspace.folder(leaseId, fence), start, count);
      this.#progressBefore.set(key, progress);
      return progress;
    } catch (error) {
      const before = this.#progressBefore.get(key) ?? { total: 0, unitsDone: 0, fresh: false };
      this.#context.logger.error({ err: error, lease: leaseId }, "the work of a lease cannot be looked at");
      const passes = MAY_PASS.has(systemCode(error) ?? "");
      return passes ? before : { ...before, failure: `its files here cannot be read: ${String(error)}` };
    }
  }

  /** Says early, and once, what may become a lease without a checkpoint. */
  #tell(leaseId: number, hint: string): void {
    if (this.#told.get(leaseId) === hint) return;
    this.#told.set(leaseId, hint);
    this.#context.logger.warn({ lease: leaseId, hint }, "no checkpoint yet");
  }

  /** A task. What an agent reads of it never changes, so it is read once. */
  async task(taskId: number, block: BlockReference): Promise<Task> {
    const known = this.#tasks.get(taskId);
    if (known) return known;
    const task = await this.#context.session.reader.task(block, taskId);
    if (!task) throw new Error(`task ${String(taskId)} is not on the chain`);
    this.#tasks.set(taskId, task);
    return task;
  }

  /** A task that was read before. */
  knownTask(taskId: number): Task | undefined {
    return this.#tasks.get(taskId);
  }
}
