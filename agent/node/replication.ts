import type { ContentId, Lease, Node } from "../../chain/entities.ts";
import type { Pin } from "../../chain/pin.ts";
import type { Reader } from "../../chain/readers.ts";
import type { CheckpointStore } from "../../checkpoints/store.ts";
import { fromChainCid } from "../../protocol/checkpoints/cid.ts";
import type { Logger } from "../../service/logger.ts";
import { replicaHolders } from "./replicas.ts";

/** Time for the copy of one checkpoint, milliseconds. */
const COPY_TIMEOUT_MS = 120_000;

/** A pin of another node's content in the store. */
export interface HeldReplica {
  /** `replica-<lease>` for checkpoints, `result-replica-<lease>` for results. */
  readonly label: string;
  readonly cid: string;
}

/** Content of another node that this node is to hold. */
export interface Replica extends HeldReplica {
  /** Bytes, as the chain has them. */
  readonly size: number;
}

/**
 * What to copy, and what to let go of: pins with a label of which something else is wanted. Nothing goes before something
 * that takes its place is here, and of labels that nothing is wanted of. Pure; O(wanted + held).
 *
 * @param wanted Most important first.
 */
export function planReplicas(
  wanted: readonly Replica[],
  held: readonly HeldReplica[],
): { readonly copy: Replica[]; readonly release: HeldReplica[] } {
  const key = ({ label, cid }: HeldReplica) => `${label} ${cid}`;
  const [here, needed] = [new Set(held.map(key)), new Set(wanted.map(key))];
  const replaced = new Set(wanted.filter((each) => here.has(key(each))).map(({ label }) => label));
  return {
    copy: wanted.filter((each) => !here.has(key(each))),
    release: held.filter((each) => replaced.has(each.label) && !needed.has(key(each))),
  };
}

/**
 * Keeps copies of other nodes' newest two checkpoints and results, so that what a node made outlives it.
 *
 * Which ones is the same rule for every agent ({@link replicaHolders}); a copy is verified block by block as it comes.
 */
export class Replicas {
  readonly #store: CheckpointStore;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  #copying: Promise<void> = Promise.resolve();
  #busy = false;

  /** @param maxBytes Of the largest checkpoint or result that is copied. */
  constructor(store: CheckpointStore, maxBytes: number, logger: Logger) {
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.#logger = logger;
  }

  /** Starts copying what is missing and lets go of what is not wanted any more. Does not wait for the copies. */
  async keep(
    reader: Reader,
    pin: Pin,
    live: readonly Lease[],
    nodes: readonly Node[],
    self: number,
    copies: number,
  ): Promise<void> {
    if (this.#busy || copies === 0) return;
    const holders = nodes.filter(({ status }) => status === "active").map(({ id }) => id);
    const ours = live.filter(({ id, nodeId }) => replicaHolders(id, nodeId, holders, copies).includes(self));
    const checkpoints = await Promise.all(ours.map(({ id }) => reader.newestCheckpoints(pin, id)));
    const results: Replica[] = [];
    const newest: Replica[] = [];
    const before: Replica[] = [];
    const replica = (label: string, content: ContentId & { readonly size: number }): Replica => ({
      label,
      cid: fromChainCid(content).toString(),
      size: content.size,
    });
    ours.forEach(({ id, result }, i) => {
      const [last, older] = checkpoints[i] ?? [];
      if (result) results.push(replica(`result-replica-${String(id)}`, result));
      if (last) newest.push(replica(`replica-${String(id)}`, last));
      if (older) before.push(replica(`replica-${String(id)}`, older));
    });
    this.#busy = true;
    this.#copying = this.#follow([...results, ...newest, ...before]).finally(() => {
      this.#busy = false;
    });
  }

  /** Waits for copies under way. */
  async idle(): Promise<void> {
    await this.#copying;
  }

  async #follow(wanted: readonly Replica[]): Promise<void> {
    const small = wanted.filter(({ size }) => size <= this.#maxBytes);
    for (const { label, cid, size } of planReplicas(small, this.#held()).copy) {
      try {
        await this.#store.fetch(cid, { timeout: COPY_TIMEOUT_MS, maxBytes: size, pin: label });
        this.#logger.info({ cid, label }, "replica stored");
      } catch (error) {
        this.#logger.warn({ cid, label, err: error }, "replica cannot be copied yet");
      }
    }
    for (const { cid, label } of planReplicas(small, this.#held()).release) await this.#store.unpin(cid, label);
  }

  #held(): HeldReplica[] {
    return this.#store
      .list()
      .flatMap(({ cid, labels }) =>
        labels
          .filter((label) => /^(result-)?replica-\d+$/.test(label))
          .map((label) => ({ cid: cid.toString(), label })),
      );
  }
}
