import type { CID } from "multiformats/cid";

import type { ContentAccess } from "@verai/client/content-access";
import type { Lease } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { DoorError } from "./errors.ts";

/** Time for a fetch, and without a block arriving, milliseconds. */
const [FETCH_MS, STALL_MS] = [60_000, 20_000];
/** Results fetched at once, and for how long one stays for who reads it again, milliseconds. */
const [AT_ONCE, KEPT_MS] = [2, 10 * 60_000];
/** Holders of a lease that are asked beside its node. */
const HOLDER_RANKS = 4;
/** Labels of results that are here for readers alone. They are a reason for nobody else. */
const LABEL = /^door-(\d+)$/;

/** What results are read with. */
export interface ContentDoorParts {
  readonly session: Pick<Session, "reader">;
  readonly store: Pick<CheckpointStore, "fetch" | "list" | "unpin" | "collectGarbage" | "peerId">;
  readonly access: Pick<ContentAccess, "sender" | "mayRead" | "inNameOf">;
  /** Bytes. */
  readonly maxBytes: number;
}

/**
 * Fetches results for people who have no store of their own, in their name: the proof that their page sends is made for this store's
 * peer id and for the one CID, is checked here against the chain, and goes on to the nodes that hold the result, which check it again.
 */
export class ContentDoor {
  readonly #parts: ContentDoorParts;
  readonly #now: () => number;
  #open = 0;

  /** @param now Milliseconds since 1970: labels outlive the process. */
  constructor(parts: ContentDoorParts, now: () => number = Date.now) {
    this.#parts = parts;
    this.#now = now;
  }

  /**
   * Brings a lease's result into the store, for a few minutes.
   *
   * @returns Its CID.
   * @throws DoorError with what to tell the page.
   */
  async result(leaseId: number, proof: unknown): Promise<CID> {
    const { session, store, access, maxBytes } = this.#parts;
    const { reader } = session;
    const block = await reader.block();
    const [lease] = await reader.leasesThatExist(block, [leaseId]);
    if (!lease?.result) throw new DoorError(404, `lease ${String(leaseId)} has delivered no result`);
    const { size } = lease.result;
    if (size > maxBytes) {
      throw new DoorError(
        413,
        `the result has ${String(size)} bytes, and this door fetches ${String(maxBytes)}: use task:result`,
      );
    }
    const cid = fromChainCid(lease.result);
    const root = cid.toString();
    const sender = await access.sender({ root, peer: store.peerId }, proof);
    if ("wrong" in sender) throw new DoorError(403, sender.wrong);
    const mayRead = await access.mayRead(sender.address, { kind: "work", leaseId });
    if (!mayRead) throw new DoorError(403, `this account has no reason to read results of lease ${String(leaseId)}`);
    if (this.#open >= AT_ONCE) throw new DoorError(503, "other results are being fetched: ask again in a few seconds");
    this.#open += 1;
    try {
      await this.tidy();
      const from = await this.#holders(lease);
      const bounds = { timeout: FETCH_MS, stallTimeout: STALL_MS, maxBytes: size };
      const pin = `door-${String(Math.floor(this.#now() / 1000))}`;
      await access.inNameOf(root, proof, () => store.fetch(root, { ...bounds, from, pin }));
      return cid;
    } catch (error) {
      throw new DoorError(
        502,
        `the result cannot be fetched now: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      this.#open -= 1;
    }
  }

  /** Lets go of what was fetched a while ago. O(pins). */
  async tidy(): Promise<void> {
    const { store } = this.#parts;
    let gone = 0;
    for (const { cid, labels } of store.list()) {
      for (const label of labels) {
        const at = LABEL.exec(label)?.[1];
        if (at === undefined || Number(at) * 1000 + KEPT_MS > this.#now()) continue;
        await store.unpin(cid, label);
        gone += 1;
      }
    }
    if (gone > 0) await store.collectGarbage();
  }

  async #holders({ id, nodeId }: Lease): Promise<string[]> {
    const { reader } = this.#parts.session;
    const block = await reader.block();
    const [node, holders] = await Promise.all([reader.node(block, nodeId), reader.holders(block, id, HOLDER_RANKS)]);
    return [node, ...holders].flatMap((each) => each?.endpoint.split(",").filter((address) => address !== "") ?? []);
  }
}
