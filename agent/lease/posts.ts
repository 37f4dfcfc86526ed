import type { ReceiptRequester } from "../replication/requester.ts";
import type { SpotChecks } from "../replication/spot-check.ts";
import { fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { WorkloadError } from "@verai/executor/errors";
import { type AgentContext, attempt, checkpointLabel, send } from "../context.ts";
import { timeoutSignal } from "@verai/system/clock";
import { isAudited } from "../audit/segment-posts.ts";
import { writeTraceHashes } from "../audit/trace-hashes.ts";
import { type Bundle, bundleCheckpoint } from "./bundle.ts";
import type { LeaseSet } from "./lease-set.ts";
import { type ChainLease, isOurs } from "./lease-plan.ts";
import { basisByTime } from "./progress.ts";
import type { LeaseFolder } from "./workspace.ts";

/** A post that is being made. */
interface Post {
  readonly ended: Promise<boolean>;
  readonly abort: AbortController;
}

/**
 * Makes checkpoints of leases, has others copy and sign for them, and posts them; one at a time for each lease, beside
 * the agent's cycles, because a holder that is slow must not keep other leases waiting.
 */
export class CheckpointPosts {
  readonly #context: AgentContext;
  readonly #leaseSet: LeaseSet;
  readonly #requester: ReceiptRequester;
  readonly #spots: Pick<SpotChecks, "note" | "forget">;
  readonly #posts = new Map<number, Post>();
  /** Of each lease's newest post that landed. Chain time and a span, seconds. */
  readonly #landed = new Map<number, { readonly captured: number; readonly took: number }>();

  constructor(
    context: AgentContext,
    leaseSet: LeaseSet,
    requester: ReceiptRequester,
    spots: Pick<SpotChecks, "note" | "forget">,
  ) {
    this.#context = context;
    this.#leaseSet = leaseSet;
    this.#requester = requester;
    this.#spots = spots;
  }

  /** When a lease's newest posted checkpoint was put together, and how long it took from there; seconds. */
  landed(leaseId: number): { readonly captured: number; readonly took: number } | undefined {
    return this.#landed.get(leaseId);
  }

  /** Begins to make, attest and post a checkpoint of a lease, unless that is under way. Failures are logged. */
  begin(lease: ChainLease): void {
    if (!this.#posts.has(lease.id)) void this.#start(lease, AbortSignal.any([])).ended;
  }

  /**
   * Posts the last checkpoint of a lease, in place of the one that others are being asked about.
   *
   * @param graceMs Time that others get to copy it.
   * @returns Whether it was posted; without, the lease's successor goes on from the one before.
   */
  async last(lease: ChainLease, graceMs: number): Promise<boolean> {
    const signal = timeoutSignal(graceMs);
    const earlier = this.#posts.get(lease.id);
    earlier?.abort.abort(new Error("the last checkpoint takes its place"));
    await earlier?.ended;
    return this.#start(lease, signal).ended;
  }

  /** Gives up the post under way of a lease that is over. */
  async drop(leaseId: number): Promise<void> {
    this.#spots.forget(leaseId);
    this.#landed.delete(leaseId);
    const post = this.#posts.get(leaseId);
    post?.abort.abort(new Error("the lease is over"));
    await post?.ended;
  }

  #start(lease: ChainLease, until: AbortSignal): Post {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, until]);
    const name = `checkpoint of lease ${String(lease.id)}`;
    const ended = attempt(this.#context, name, () => this.#post(lease, signal)).finally(() =>
      this.#posts.delete(lease.id),
    );
    const post = { ended, abort };
    this.#posts.set(lease.id, post);
    return post;
  }

  async #post(lease: ChainLease, signal: AbortSignal): Promise<void> {
    const { store, workspace, session, logger } = this.#context;
    const { reader, contracts } = session;
    const folder = workspace.folder(lease.id, lease.fence);
    const begun = await reader.block();
    const [known] = await reader.newestCheckpoints(begun, lease.id);
    const reached = known?.progress ?? 0;
    const task = await this.#leaseSet.task(lease.taskId, begun);
    const { replicas, maxUnitTime } = task;
    // Without a checkpoint, what stands for it is as old as the lease.
    const elapsed = begun.timestamp - (known?.startedAt ?? lease.checkpoint.at);
    const bundle = await this.#bundle(lease, folder, reached, basisByTime(elapsed, maxUnitTime));
    const { path: bundled, progress, units } = bundle;
    if (progress <= reached) return;
    const { segments, sealing } = this.#context;
    const work = { task, lease, folder, units, newest: known };
    const trace = isAudited(task) ? await segments.trace(work, signal) : undefined;
    if (trace) await writeTraceHashes(bundled, trace.segment.units);
    const path = await sealing.closed(task, lease, bundled, signal);
    const { cid, size } = await store.addDirectory(path, { pin: checkpointLabel(lease.id) });
    const { digest, codec } = toChainCid(cid);
    const { id: leaseId, fence } = lease;
    const isBehind = async (): Promise<boolean> => {
      const [newest] = await reader.newestCheckpoints(await reader.block(), leaseId);
      return newest !== undefined && newest.progress >= progress;
    };
    try {
      if (await isBehind()) return;
      const claim = { leaseId, fence, digest, codec, progress, size };
      // Kept before it is sent: a process that ends in between can open what has landed.
      const stored = { cid: cid.toString(), digest, codec, size, progress };
      const root = trace && (await segments.keep(trace, work, stored));
      const receipts = await this.#requester.receipts(claim, replicas, signal);
      const sent = await send(this.#context, `checkpoint of lease ${String(leaseId)}`, async () => {
        const [now] = await reader.leasesById(await reader.block(), [leaseId]);
        if (!now || !isOurs(now) || now.fence !== fence || (await isBehind())) return null;
        const { checkpoints } = contracts;
        if (root === undefined) return checkpoints.post.populateTransaction(claim, receipts);
        return checkpoints.postTraced.populateTransaction(claim, root, receipts);
      });
      const by = receipts.map(({ nodeId }) => nodeId);
      if (!sent) return;
      const captured = begun.timestamp;
      this.#landed.set(leaseId, { captured, took: (await reader.block()).timestamp - captured });
      this.#spots.note(leaseId, cid.toString(), by);
      logger.info({ lease: leaseId, cid: cid.toString(), progress, size, held: by }, "checkpoint posted");
    } finally {
      await this.#retainNewest(leaseId);
    }
  }

  /** What a program has left that cannot be stored ends the work on its lease: it would leave the same again. */
  async #bundle(lease: ChainLease, folder: LeaseFolder, reached: number, byTime: number): Promise<Bundle> {
    try {
      return await bundleCheckpoint(folder, lease.start, lease.count, reached, this.#context.store.maxBytes, byTime);
    } catch (error) {
      if (error instanceof WorkloadError && error.code === "OUTPUT_INVALID") {
        this.#leaseSet.works.get(lease.id)?.refuse(error.message);
      }
      throw error;
    }
  }

  /** Keeps the two checkpoints that the chain knows, and those that an audit can ask for; lets all others go. */
  async #retainNewest(leaseId: number): Promise<void> {
    const { store, session } = this.#context;
    const newest = await session.reader.newestCheckpoints(await session.reader.block(), leaseId);
    const known = newest.map((each) => fromChainCid(each).toString());
    const kept = new Set([...known, ...(await this.#context.auditStates.keeps(leaseId))]);
    const label = checkpointLabel(leaseId);
    for (const { cid, labels } of store.list()) {
      if (labels.includes(label) && !kept.has(cid.toString())) await store.unpin(cid, label);
    }
    await store.collectGarbage();
  }
}
