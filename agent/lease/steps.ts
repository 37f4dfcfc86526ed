import type { BlockReference } from "@verai/client/block-reference";
import { END_REASONS, numberOf } from "@verai/client/enums";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { resultLabel } from "../node/results.ts";
import { COPY_RANKS } from "../node/copy-protocol.ts";
import { type AgentContext, attempt, send } from "../context.ts";
import { bundleResult } from "./bundle.ts";
import type { LeaseSet } from "./lease-set.ts";
import { restorable } from "./lineage.ts";
import { type ChainLease, isOurs, type LeaseStep } from "./lease-plan.ts";
import type { CheckpointPosts } from "./posts.ts";
import { LeaseWork } from "./work.ts";

/** Part of a move's grace that is left for posting the last checkpoint and handing over, seconds. */
const HANDOVER_SECONDS = 8;

/**
 * Gas that taking 16 nodes of an owner out of the listings uses. A release that is simulated while these are frozen, and mined
 * after that, takes so much more where it bars the owner.
 */
const BAR_GAS = 1_000_000n;

/** Time for having the key of a confidential task, milliseconds. */
const SEAL_MS = 120_000;

/** Takes the steps that were planned for leases: starts and stops work, posts checkpoints, delivers, gives back. */
export class LeaseSteps {
  readonly #context: AgentContext;
  readonly #leaseSet: LeaseSet;
  readonly #posts: CheckpointPosts;
  readonly #onForget: () => void;

  /** @param onForget Told when what a lease has left here is no longer needed for work. */
  constructor(context: AgentContext, leaseSet: LeaseSet, posts: CheckpointPosts, onForget: () => void) {
    this.#context = context;
    this.#leaseSet = leaseSet;
    this.#posts = posts;
    this.#onForget = onForget;
  }

  /** Takes the steps of one lease in their order, up to the first that fails; the rest comes up again in the next cycle. */
  async take(steps: readonly LeaseStep[], leases: readonly ChainLease[], block: BlockReference): Promise<void> {
    for (const step of steps) {
      const lease = leases.find(({ id }) => id === step.leaseId);
      const done = await attempt(this.#context, `${step.kind} of lease ${String(step.leaseId)}`, () =>
        this.#takeStep(step, lease, block),
      );
      if (!done) return;
    }
  }

  async #takeStep(step: LeaseStep, lease: ChainLease | undefined, block: BlockReference): Promise<void> {
    switch (step.kind) {
      case "stop":
        this.#context.logger.warn({ lease: step.leaseId, why: step.why }, "stopping work that is no longer ours");
        await this.#leaseSet.works.get(step.leaseId)?.stop("kill");
        return;
      case "forget":
        return this.#forget(step.leaseId);
      default:
        if (!lease) throw new Error(`lease ${String(step.leaseId)} is not known`);
    }
    const { leases } = this.#context.session.contracts;
    switch (step.kind) {
      case "start":
        // Waits for room; the listing is withdrawn meanwhile.
        return this.#context.disk.full === undefined ? this.#start(lease, block) : undefined;
      case "checkpoint":
        if (step.last) await this.#posts.last(lease, this.#context.graceSeconds * 1000);
        else this.#posts.begin(lease);
        return;
      case "deliver":
        return this.#deliver(lease);
      case "wind down": {
        const { graceSeconds, logger } = this.#context;
        // A move ends with its grace, and the last checkpoint is still to be posted then.
        const left = lease.status === "moving" ? lease.due - block.timestamp - HANDOVER_SECONDS : graceSeconds;
        const grace = Math.max(1, Math.min(graceSeconds, left));
        logger.info({ lease: lease.id, why: step.why, grace }, "winding down: workloads write a last checkpoint");
        await this.#leaseSet.works.get(lease.id)?.stop("drain", grace);
        return;
      }
      case "release": {
        this.#context.logger.warn({ lease: lease.id, why: step.why }, "giving the lease back");
        // First, and whatever becomes of the engine: its fence ends what the workload could still do.
        const sent = await send(this.#context, `release ${String(lease.id)}`, () =>
          this.#ifActive(
            lease,
            async () => ({
              ...(await leases.release.populateTransaction(lease.id, lease.fence, numberOf(END_REASONS, step.reason))),
              gasReserve: BAR_GAS,
            }),
            (due) => step.unlessRenewed === undefined || step.unlessRenewed === due,
          ),
        );
        // One that was renewed meanwhile goes on. What runs of one that was given back is waited for when it is cleared away.
        if (sent) void this.#leaseSet.works.get(lease.id)?.stop("kill");
        return;
      }
      case "accept":
        await send(this.#context, `accept ${String(lease.id)}`, () => leases.accept.populateTransaction([lease.id]));
    }
  }

  async #start(lease: ChainLease, block: BlockReference): Promise<void> {
    const { session, workspace, holders } = this.#context;
    const parent = this.#leaseSet.leases.get(lease.id)?.parent ?? 0;
    const task = await this.#leaseSet.task(lease.taskId, block);
    // Where the task asks for no receipts, copies are with those whom its nodes asked.
    const most = task.replicas === 0 ? COPY_RANKS : 0;
    const holdersOf = (leaseId: number) => holders.of(block, leaseId, most);
    const from = parent === 0 ? [] : await restorable(session.reader, block, parent, holdersOf);
    const folder = workspace.folder(lease.id, lease.fence);
    if (this.#leaseSet.works.get(lease.id)?.ending === true) return;
    const work = new LeaseWork(lease, task, folder, from, this.#context);
    this.#leaseSet.works.set(lease.id, work);
    work.start();
    const { id, taskId, start, count, fence } = lease;
    this.#context.logger.info({ lease: id, task: taskId, start, count, fence, parent }, "working on lease");
  }

  async #deliver(lease: ChainLease): Promise<void> {
    const { store, workspace, session, logger } = this.#context;
    const folder = workspace.folder(lease.id, lease.fence);
    const bundled = await bundleResult(folder, lease.start, lease.count, store.maxBytes);
    const task = await this.#leaseSet.task(lease.taskId, await session.reader.block());
    const path = await this.#context.sealing.closed(task, lease, bundled, AbortSignal.timeout(SEAL_MS));
    const { cid, size } = await store.addDirectory(path, { pin: resultLabel(lease.id) });
    const { digest, codec } = toChainCid(cid);
    await send(this.#context, `result of lease ${String(lease.id)}`, () =>
      this.#ifActive(lease, () =>
        session.contracts.leases.deliver.populateTransaction(lease.id, lease.fence, digest, codec, size),
      ),
    );
    this.#leaseSet.works.delete(lease.id);
    logger.info({ lease: lease.id, cid: cid.toString(), size }, "result delivered");
  }

  /** The transaction, if the lease is still ours and active, and due in time, right before it is sent; else nothing. */
  async #ifActive<T>(
    lease: ChainLease,
    build: () => Promise<T | null>,
    isDue: (due: number) => boolean = () => true,
  ): Promise<T | null> {
    const { reader } = this.#context.session;
    const [now] = await reader.leasesById(await reader.block(), [lease.id]);
    return now && isOurs(now) && now.fence === lease.fence && isDue(now.due) ? build() : null;
  }

  /** Deletes the work of a lease that is over. Its result stays pinned while there is room: it is what was paid for; so do its checkpoints for a while. */
  async #forget(leaseId: number): Promise<void> {
    const { workspace, nodeId } = this.#context;
    this.#leaseSet.works.delete(leaseId);
    this.#context.sealing.forget(leaseId);
    await this.#posts.drop(leaseId);
    const now = this.#leaseSet.leases.get(leaseId);
    await workspace.remove(leaseId, now && isOurs(now) && now.nodeId === nodeId ? now.fence : undefined);
    this.#onForget();
  }
}
