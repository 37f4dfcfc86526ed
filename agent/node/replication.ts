import type { Lease, Node } from "../../chain/entities.ts";
import type { Pin } from "../../chain/pin.ts";
import type { Reader } from "../../chain/readers.ts";
import type { CheckpointStore } from "../../checkpoints/store.ts";
import { fromChainCid } from "../../protocol/checkpoints/cid.ts";
import type { Logger } from "../../service/logger.ts";
import { replicaHolders } from "./replicas.ts";

/** Time for the copy of one checkpoint, milliseconds. */
const COPY_TIMEOUT_MS = 120_000;

/**
 * Keeps copies of other nodes' newest checkpoints and results, so that what a node made outlives it.
 *
 * Which ones is the same rule for every agent ({@link replicaHolders}); a copy is verified block by block as it comes.
 */
export class Replicas {
  readonly #store: CheckpointStore;
  readonly #logger: Logger;
  #copying: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(store: CheckpointStore, logger: Logger) {
    this.#store = store;
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
    const checkpoints = await reader.checkpoints(
      pin,
      ours.map(({ id }) => id),
    );
    const wanted = new Map<string, string>();
    for (const lease of ours) {
      const checkpoint = checkpoints.get(lease.id);
      if (checkpoint) wanted.set(fromChainCid(checkpoint).toString(), `replica-${String(lease.id)}`);
      if (lease.result) wanted.set(fromChainCid(lease.result).toString(), `replica-${String(lease.id)}`);
    }
    this.#busy = true;
    this.#copying = this.#copy(wanted).finally(() => {
      this.#busy = false;
    });
  }

  /** Waits for copies under way. */
  async idle(): Promise<void> {
    await this.#copying;
  }

  async #copy(wanted: ReadonlyMap<string, string>): Promise<void> {
    const held = new Set(this.#store.list().flatMap(({ cid, labels }) => labels.map((l) => `${l} ${cid.toString()}`)));
    for (const [cid, label] of wanted) {
      if (held.has(`${label} ${cid}`)) continue;
      try {
        await this.#store.fetch(cid, { timeout: COPY_TIMEOUT_MS, pin: label });
        this.#logger.info({ cid, label }, "replica stored");
      } catch (error) {
        this.#logger.warn({ cid, label, err: error }, "checkpoint cannot be copied yet");
      }
    }
    // What a live lease has moved on from goes; results and last checkpoints of leases that ended stay with us.
    const current = new Set(wanted.values());
    for (const { cid, labels } of this.#store.list()) {
      for (const label of labels) {
        if (current.has(label) && !wanted.has(cid.toString())) await this.#store.unpin(cid, label);
      }
    }
  }
}
