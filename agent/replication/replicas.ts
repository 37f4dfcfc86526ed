import type { Checkpoint, Lease, Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { type Held, missing, superfluous, type Wanted, wantedOf } from "./replica-plan.ts";
import { replicaHolders } from "./holders.ts";

/** Time for the copy of one checkpoint, and how long nothing may arrive, milliseconds. */
const COPY_TIMEOUT_MS = 120_000;
const STALL_MS = 15_000;
/** Pause before a copy that could not be made is tried again, milliseconds: others must not wait for it. */
const RETRY_MS = 60_000;

/** What replicas are kept with. */
export interface ReplicaContext {
  readonly store: Pick<CheckpointStore, "fetch" | "list" | "unpin" | "collectGarbage">;
  readonly logger: Logger;
  /** Copies of what a lease leaves, beside its node's own. */
  readonly replicas: number;
  /** Bytes of the largest checkpoint, or result, of others that this node copies. */
  readonly maxCheckpointBytes: number;
}

/**
 * Keeps copies of other nodes' results and newest two checkpoints, so that what a node made outlives it.
 *
 * Which ones is the same rule for every agent ({@link replicaHolders}); a copy is verified block by block as it comes.
 */
export class Replicas {
  readonly #context: ReplicaContext;
  readonly #now: () => number;
  /** Newest checkpoints by lease, as they were last read. */
  readonly #newest = new Map<number, readonly Checkpoint[]>();
  /** When to try again what could not be copied, by CID; milliseconds. */
  readonly #retryAt = new Map<string, number>();
  #copying: Promise<void> = Promise.resolve();
  #busy = false;

  /** @param now Milliseconds that go on evenly. */
  constructor(context: ReplicaContext, now: () => number = () => performance.now()) {
    this.#context = context;
    this.#now = now;
  }

  /**
   * Starts copying what is missing and lets go of what is no longer wanted. Does not wait for the copies.
   *
   * @param kept Leases whose checkpoints are of use.
   */
  async keep(
    reader: Pick<Reader, "checkpoints" | "newestCheckpoints">,
    block: BlockReference,
    kept: readonly Lease[],
    nodes: readonly Node[],
    self: number,
  ): Promise<void> {
    if (this.#busy) return;
    const { replicas } = this.#context;
    const active = nodes.filter(({ status }) => status === "active").map(({ id }) => id);
    const isOurs = ({ id, nodeId }: Lease) =>
      replicas > 0 && replicaHolders(id, nodeId, active, replicas).includes(self);
    const ours = new Set(kept.filter(isOurs).map(({ id }) => id));
    const here = new Set(this.#held().map(({ leaseId }) => leaseId));
    // What is here of other nodes' share is not brought up to date, but also stays within its bound.
    const looked = kept.filter(({ id }) => ours.has(id) || here.has(id));
    await this.#look(
      reader,
      block,
      looked.filter(({ status }) => status !== "paid"),
    );
    const wanted = new Map(looked.map((lease) => [lease.id, wantedOf(lease, this.#newest.get(lease.id) ?? [])]));
    this.#busy = true;
    this.#copying = this.#bring(wanted, ours)
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error }, "replicas cannot be kept, will be tried again");
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  /** Waits for copies under way. */
  async idle(): Promise<void> {
    await this.#copying;
  }

  /** Reads both checkpoints of the leases that have a new one. */
  async #look(
    reader: Pick<Reader, "checkpoints" | "newestCheckpoints">,
    block: BlockReference,
    leases: readonly Lease[],
  ): Promise<void> {
    const ids = leases.map(({ id }) => id);
    const now = await reader.checkpoints(block, ids);
    for (const id of this.#newest.keys()) if (!now.has(id)) this.#newest.delete(id);
    for (const [id, { digest }] of now) {
      if (this.#newest.get(id)?.[0]?.digest === digest) continue;
      this.#newest.set(id, await reader.newestCheckpoints(block, id));
    }
  }

  async #bring(wanted: ReadonlyMap<number, readonly Wanted[]>, ours: ReadonlySet<number>): Promise<void> {
    const { store, logger, maxCheckpointBytes } = this.#context;
    const own = new Map([...wanted].filter(([id]) => ours.has(id)));
    const all = new Set([...own.values()].flatMap((contents) => contents.map(({ cid }) => cid)));
    for (const cid of this.#retryAt.keys()) if (!all.has(cid)) this.#retryAt.delete(cid);
    for (const { leaseId, cid, size } of missing(own, this.#held(), maxCheckpointBytes)) {
      if (this.#now() < (this.#retryAt.get(cid) ?? 0)) continue;
      const label = replicaLabel(leaseId);
      try {
        await store.fetch(cid, { timeout: COPY_TIMEOUT_MS, stallTimeout: STALL_MS, maxBytes: size, pin: label });
        logger.info({ cid, label }, "replica stored");
      } catch (error) {
        this.#retryAt.set(cid, this.#now() + RETRY_MS);
        logger.warn({ cid, label, err: error }, "checkpoint cannot be copied yet");
      }
    }
    const gone = superfluous(wanted, this.#held());
    for (const { leaseId, cid } of gone) await store.unpin(cid, replicaLabel(leaseId));
    if (gone.length > 0) await store.collectGarbage();
  }

  #held(): Held[] {
    return this.#context.store.list().flatMap(({ cid, labels }) =>
      labels.flatMap((label) => {
        const leaseId = /^replica-(\d+)$/.exec(label)?.[1];
        return leaseId === undefined ? [] : [{ leaseId: Number(leaseId), cid: cid.toString() }];
      }),
    );
  }
}

/** Label of the pins of replicas. */
export function replicaLabel(leaseId: number): string {
  return `replica-${String(leaseId)}`;
}
