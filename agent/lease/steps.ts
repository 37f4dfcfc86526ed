import type { Pin } from "@verai/client/pin";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { resultLabel } from "../node/results.ts";
import { COPY_RANKS } from "../node/copy-protocol.ts";
import { type AgentParts, attempt, send } from "../parts.ts";
import { bundleResult } from "./bundle.ts";
import type { Holdings } from "./holdings.ts";
import { restorable } from "./lineage.ts";
import { type ChainLease, isHeld, type LeaseStep } from "./plan.ts";
import type { CheckpointPosts } from "./posts.ts";
import { LeaseWork } from "./work.ts";

/** Part of a move's grace that is left for posting the last checkpoint and handing over, seconds. */
const HANDOVER_SECONDS = 8;

/** Takes the steps that were planned for leases: starts and stops work, posts checkpoints, delivers, gives back. */
export class LeaseSteps {
  readonly #parts: AgentParts;
  readonly #holdings: Holdings;
  readonly #posts: CheckpointPosts;
  readonly #onForget: () => void;

  /** @param onForget Told when what a lease has left here is no longer needed for work. */
  constructor(parts: AgentParts, holdings: Holdings, posts: CheckpointPosts, onForget: () => void) {
    this.#parts = parts;
    this.#holdings = holdings;
    this.#posts = posts;
    this.#onForget = onForget;
  }

  /** Takes the steps of one lease in their order, up to the first that fails; the rest comes up again in the next cycle. */
  async take(steps: readonly LeaseStep[], leases: readonly ChainLease[], pin: Pin): Promise<void> {
    for (const step of steps) {
      const lease = leases.find(({ id }) => id === step.leaseId);
      const done = await attempt(this.#parts, `${step.kind} of lease ${String(step.leaseId)}`, () =>
        this.#takeStep(step, lease, pin),
      );
      if (!done) return;
    }
  }

  async #takeStep(step: LeaseStep, lease: ChainLease | undefined, pin: Pin): Promise<void> {
    switch (step.kind) {
      case "stop":
        this.#parts.logger.warn({ lease: step.leaseId, why: step.why }, "stopping work that is no longer ours");
        await this.#holdings.works.get(step.leaseId)?.stop("kill");
        return;
      case "forget":
        return this.#forget(step.leaseId);
      default:
        if (!lease) throw new Error(`lease ${String(step.leaseId)} is not known`);
    }
    const { leases } = this.#parts.session.contracts;
    switch (step.kind) {
      case "start":
        // Waits for room; the listing is withdrawn meanwhile.
        return this.#parts.room.full === undefined ? this.#start(lease, pin) : undefined;
      case "checkpoint":
        if (step.last) await this.#posts.last(lease, this.#parts.graceSeconds * 1000);
        else this.#posts.begin(lease);
        return;
      case "deliver":
        return this.#deliver(lease);
      case "wind down": {
        const { graceSeconds, logger } = this.#parts;
        // A move ends with its grace, and the last checkpoint is still to be posted then.
        const left = lease.status === "moving" ? lease.due - pin.timestamp - HANDOVER_SECONDS : graceSeconds;
        const grace = Math.max(1, Math.min(graceSeconds, left));
        logger.info({ lease: lease.id, why: step.why, grace }, "winding down: workloads write a last checkpoint");
        await this.#holdings.works.get(lease.id)?.stop("drain", grace);
        return;
      }
      case "release": {
        this.#parts.logger.warn({ lease: lease.id, why: step.why }, "giving the lease back");
        // First, and whatever becomes of the engine: its fence ends what the workload could still do.
        const sent = await send(this.#parts, `release ${String(lease.id)}`, () =>
          this.#ifActive(
            lease,
            () => leases.release.populateTransaction(lease.id, lease.fence),
            (due) => step.unlessRenewed === undefined || step.unlessRenewed === due,
          ),
        );
        // One that was renewed meanwhile goes on. What runs of one that was given back is waited for when it is cleared away.
        if (sent) void this.#holdings.works.get(lease.id)?.stop("kill");
        return;
      }
      case "accept":
        await send(this.#parts, `accept ${String(lease.id)}`, () => leases.accept.populateTransaction([lease.id]));
    }
  }

  async #start(lease: ChainLease, pin: Pin): Promise<void> {
    const { session, workspace, holders } = this.#parts;
    const parent = this.#holdings.leases.get(lease.id)?.parent ?? 0;
    const task = await this.#holdings.task(lease.taskId, pin);
    // Where the task asks for no receipts, copies are with those whom its nodes asked.
    const ranked = task.replicas === 0 ? COPY_RANKS : task.replicas;
    const holdersOf = (leaseId: number) => holders.of(pin, leaseId, ranked);
    const from = parent === 0 ? [] : await restorable(session.reader, pin, parent, holdersOf);
    const folder = workspace.folder(lease.id, lease.fence);
    if (this.#holdings.works.get(lease.id)?.ending === true) return;
    const work = new LeaseWork(lease, task, folder, from, this.#parts);
    this.#holdings.works.set(lease.id, work);
    work.start();
    const { id, taskId, start, count, fence } = lease;
    this.#parts.logger.info({ lease: id, task: taskId, start, count, fence, parent }, "working on lease");
  }

  async #deliver(lease: ChainLease): Promise<void> {
    const { store, workspace, session, logger } = this.#parts;
    const folder = workspace.folder(lease.id, lease.fence);
    const path = await bundleResult(folder, lease.start, lease.count, store.maxBytes);
    const { cid, size } = await store.addDirectory(path, { pin: resultLabel(lease.id) });
    const { digest, codec } = toChainCid(cid);
    await send(this.#parts, `result of lease ${String(lease.id)}`, () =>
      this.#ifActive(lease, () =>
        session.contracts.leases.deliver.populateTransaction(lease.id, lease.fence, digest, codec, size),
      ),
    );
    this.#holdings.works.delete(lease.id);
    logger.info({ lease: lease.id, cid: cid.toString(), size }, "result delivered");
  }

  /** The transaction, if the lease is still ours and active, and due in time, right before it is sent; else nothing. */
  async #ifActive<T>(
    lease: ChainLease,
    build: () => Promise<T | null>,
    isDue: (due: number) => boolean = () => true,
  ): Promise<T | null> {
    const { reader } = this.#parts.session;
    const [now] = await reader.leasesById(await reader.pin(), [lease.id]);
    return now && isHeld(now) && now.fence === lease.fence && isDue(now.due) ? build() : null;
  }

  /** Deletes the work of a lease that is over. Its result stays pinned while there is room: it is what was paid for; so do its checkpoints for a while. */
  async #forget(leaseId: number): Promise<void> {
    const { workspace, nodeId } = this.#parts;
    this.#holdings.works.delete(leaseId);
    await this.#posts.drop(leaseId);
    const now = this.#holdings.leases.get(leaseId);
    await workspace.remove(leaseId, now && isHeld(now) && now.nodeId === nodeId ? now.fence : undefined);
    this.#onForget();
  }
}
