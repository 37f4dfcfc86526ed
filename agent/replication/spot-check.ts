import { randomBytes, randomInt } from "node:crypto";

import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { Budget } from "@verai/system/budget";
import type { Logger } from "@verai/process/logger";
import { monotonicMs } from "@verai/system/clock";
import type { ReplicationMetrics } from "./replication-metrics.ts";
import type { PeerReputation } from "./reputation.ts";
import { SPOT_PROTOCOL, type SpotAnswer, spotAnswer, spotRequest } from "./spot-protocol.ts";
import { MAX_MESSAGE_BYTES } from "./protocol.ts";

/** Time for an answer, and for verifying it, milliseconds. */
const ANSWER_MS = 15_000;
const NONCE_BYTES = 32;

/** Questions that this process asks itself. */
const OWN: Pick<Requester, "peer" | "address"> = { peer: "", address: "" };

/** What is held by whom. */
interface Held {
  readonly leaseId: number;
  readonly cid: string;
  readonly holders: readonly number[];
}

/** What spot checks work with. */
export interface SpotCheckContext {
  readonly store: Pick<CheckpointStore, "handle" | "request" | "proveLeaf" | "verifyLeaf" | "fetch" | "list">;
  readonly logger: Logger;
  readonly metrics: ReplicationMetrics;
  readonly reputation: PeerReputation;
  /** Pause between two checks, milliseconds. */
  readonly spotCheckMs: number;
}

/**
 * Asks holders now and then for a random leaf of what they signed for, and answers such questions. A receipt proves that
 * a copy was there when it was signed; this, that it still is.
 */
export class SpotChecks {
  readonly #context: SpotCheckContext;
  readonly #now: () => number;
  readonly #held = new Map<number, Held>();
  /** CIDs that are being fetched again. */
  readonly #repairing = new Set<string>();
  readonly #peers = new Budget({ perSecond: 2, burst: 10 });
  readonly #addresses = new Budget({ perSecond: 20, burst: 60 });
  readonly #all = new Budget({ perSecond: 20, burst: 60, maxNames: 1 });
  #last: number;
  #running: Promise<void> | undefined;

  constructor(context: SpotCheckContext, now: () => number = monotonicMs) {
    this.#context = context;
    this.#now = now;
    this.#last = now();
  }

  /** Begins to answer others. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_MESSAGE_BYTES, timeout: ANSWER_MS };
    await this.#context.store.handle(SPOT_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Notes who holds a lease's newest checkpoint; what they held of it before is no longer asked about. */
  note(leaseId: number, cid: string, holders: readonly number[]): void {
    this.#held.set(leaseId, { leaseId, cid, holders });
  }

  /** Forgets a lease that is over. */
  forget(leaseId: number): void {
    this.#held.delete(leaseId);
  }

  /**
   * Makes a check if it is time for one. Does not wait for its end.
   *
   * @param endpointOf Addresses of a node; undefined if it is not active.
   */
  begin(endpointOf: (nodeId: number) => Promise<string | undefined>): void {
    const { spotCheckMs, logger } = this.#context;
    if (this.#running || this.#now() - this.#last < spotCheckMs) return;
    const all = [...this.#held.values()].flatMap((held) => held.holders.map((nodeId) => ({ ...held, nodeId })));
    const one = all.length > 0 ? all[randomInt(all.length)] : undefined;
    if (!one) return;
    this.#last = this.#now();
    this.#running = endpointOf(one.nodeId)
      .then((endpoint) => (endpoint === undefined ? undefined : this.check(one.leaseId, one.cid, one.nodeId, endpoint)))
      .catch((error: unknown) => {
        logger.warn({ lease: one.leaseId, node: one.nodeId, err: error }, "spot check could not be made");
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Asks one holder for a random leaf of a checkpoint, and notes what comes of it. */
  async check(leaseId: number, cid: string, nodeId: number, endpoint: string): Promise<void> {
    const { store, logger, metrics, reputation } = this.#context;
    const nonce = randomBytes(NONCE_BYTES).toString("hex");
    let answer: SpotAnswer;
    try {
      const options = { timeout: ANSWER_MS, maxBytes: MAX_MESSAGE_BYTES };
      answer = spotAnswer.parse(await store.request(endpoint.split(","), SPOT_PROTOCOL, { cid, nonce }, options));
    } catch (error) {
      // Who does not answer may be down; that is not the same as having nothing.
      metrics.spotChecks.inc({ outcome: "unanswered" });
      reputation.note(nodeId, "unreached");
      const why = error instanceof Error ? error.message : String(error);
      logger.info({ lease: leaseId, node: nodeId, cid, why }, "spot check: no answer");
      return;
    }
    const timeOuts = { timeout: ANSWER_MS, stallTimeout: ANSWER_MS };
    const held = answer.kind === "proof" && (await store.verifyLeaf(cid, nonce, answer.proof, timeOuts));
    // A later checkpoint may have taken its place meanwhile: then its holder may have let it go.
    if (!held && this.#held.get(leaseId)?.cid !== cid) return;
    metrics.spotChecks.inc({ outcome: held ? "held" : "failed" });
    if (held) {
      logger.debug({ lease: leaseId, node: nodeId, cid }, "spot check: it holds the checkpoint");
      return;
    }
    reputation.note(nodeId, "failed check");
    const why = answer.kind === "missing" ? answer.why : "its proof is wrong";
    logger.warn({ lease: leaseId, node: nodeId, cid, why }, "spot check: a holder has lost what it signed for");
  }

  /**
   * Answers another node's question. A proof reads some MiB from disk, so it is made only of what is pinned here, and not too
   * often for one peer, one address, or all.
   *
   * @throws CheckpointError `BUSY` if too often
   */
  async answer(body: unknown, requester: Pick<Requester, "peer" | "address"> = OWN): Promise<SpotAnswer> {
    const { store, logger } = this.#context;
    const parsed = spotRequest.safeParse(body);
    if (!parsed.success) return { kind: "missing", why: "the request is malformed" };
    const { cid, nonce } = parsed.data;
    if (!this.#peers.take(requester.peer) || !this.#addresses.take(requester.address)) {
      throw new CheckpointError("BUSY", "too many spot checks: ask again in a second");
    }
    if (!store.list().some((pin) => pin.cid.toString() === cid)) {
      return { kind: "missing", why: `${cid} is not pinned here` };
    }
    if (!this.#all.take("")) throw new CheckpointError("BUSY", "too many spot checks: ask again in a second");
    try {
      return { kind: "proof", proof: await store.proveLeaf(cid, nonce) };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      this.#repair(cid);
      logger.warn({ cid, err: error }, "a spot check found a copy missing or damaged");
      return { kind: "missing", why: error.message.slice(0, 500) };
    }
  }

  /** Fetches again what is pinned here and yet not whole. */
  #repair(cid: string): void {
    const { store, logger } = this.#context;
    const pin = store.list().find((each) => each.cid.toString() === cid);
    const label = pin?.labels[0];
    if (!pin || label === undefined || this.#repairing.has(cid)) return;
    this.#repairing.add(cid);
    store
      .fetch(cid, { pin: label, maxBytes: pin.size })
      .then(
        () => {
          logger.info({ cid }, "the damaged copy was fetched again");
        },
        (error: unknown) => {
          logger.error({ cid, err: error }, "the damaged copy cannot be fetched again");
        },
      )
      .finally(() => {
        this.#repairing.delete(cid);
      });
  }
}
