import type { Signer, TypedDataDomain } from "ethers";

import type { Lease } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import type { BlockReference } from "@verai/client/block-reference";
import type { Session } from "@verai/client/session";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { Budget } from "@verai/system/budget";
import type { Logger } from "@verai/process/logger";
import type { DiskSpace } from "../node/disk.ts";
import { monotonicMs } from "@verai/system/clock";
import { ANSWER_MS, COPY_MS, STALL_MS, WAIT_MS } from "./copy-times.ts";
import { Copies, type Wanted } from "./copies.ts";
import { type CheckpointClaim, receiptSigner, signReceipt } from "@verai/client/checkpoint-receipt";
import { OperatorDirectory } from "./directory.ts";
import { type RequestView, refusal } from "./validate.ts";
import type { ReplicationMetrics } from "./replication-metrics.ts";
import {
  RECEIPT_PROTOCOL,
  type ReceiptAnswer,
  type ReceiptRequest,
  receiptRequest,
  MAX_MESSAGE_BYTES,
} from "./protocol.ts";

/** Copies at the same time, and waiting. */
const COPIES_AT_ONCE = 3;
const COPIES_WAITING = 32;
/** How long a signed copy that the chain does not name is kept: its producer may be about to post it. Milliseconds. */
const UNPOSTED_MS = 10 * 60_000;

/** Requests that this process makes of itself. */
const OWN: Pick<Requester, "peer" | "address" | "prove"> = { peer: "", address: "", prove: () => undefined };

/** What receipts are given with. */
export interface ResponderContext {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "fetch" | "handle" | "list" | "unpin" | "collectGarbage">;
  /** The operator key. */
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  /** Bytes of the largest checkpoint that this node copies. */
  readonly maxCheckpointBytes: number;
  readonly disk: Pick<DiskSpace, "look">;
  readonly logger: Logger;
  readonly metrics: ReplicationMetrics;
}

/**
 * Gives other nodes receipts for their checkpoints: looks at the chain, fetches and verifies the checkpoint block by
 * block, makes it durable, pins it, and only then signs that this node holds it.
 */
export class ReceiptResponder {
  readonly #context: ResponderContext;
  readonly #copies: Copies;
  /** What was signed for, by CID: when, milliseconds, and the progress. After a restart, all count as signed at the start. */
  readonly #asked = new Map<string, { readonly at: number; readonly progress: number }>();
  readonly #startedAt = monotonicMs();
  /** Addresses of the producer of what is being copied, by CID. */
  readonly #from = new Map<string, readonly string[]>();
  readonly #directory: OperatorDirectory;
  readonly #peers = new Budget({ perSecond: 10, burst: 40 });
  readonly #addresses = new Budget({ perSecond: 50, burst: 200 });
  /** Signatures checked for all: one takes about a millisecond. */
  readonly #all = new Budget({ perSecond: 100, burst: 300, maxNames: 1 });
  /** Looks at the chain for a lease's requests. */
  readonly #leases = new Budget({ perSecond: 2, burst: 20 });

  constructor(context: ResponderContext) {
    this.#context = context;
    this.#directory = new OperatorDirectory(async (leaseId) => {
      const { reader } = context.session;
      const block = await reader.block();
      const [lease] = await reader.leasesThatExist(block, [leaseId]);
      const node = lease && (await reader.node(block, lease.nodeId));
      return lease && node && { lease, operator: node.operator };
    });
    this.#copies = new Copies((wanted, signal, onBytes) => this.#copy(wanted, signal, onBytes), {
      atOnce: COPIES_AT_ONCE,
      waiting: COPIES_WAITING,
    });
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_MESSAGE_BYTES, timeout: ANSWER_MS };
    await this.#context.store.handle(RECEIPT_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Ends copies under way. */
  async stop(): Promise<void> {
    await this.#copies.stop();
  }

  /**
   * Answers one request; whatever is wrong with it is said in a refusal. In this order, the cheap before the dear: shape,
   * budgets, what is known of the lease, the signature, and only then the chain.
   *
   * @param requester - who sent it; anybody may relay a request
   * @throws CheckpointError `BUSY` if the peer, its address or the lease asks too often
   */
  async answer(body: unknown, requester: Pick<Requester, "peer" | "address" | "prove"> = OWN): Promise<ReceiptAnswer> {
    const parsed = receiptRequest.safeParse(body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return this.#refuse(
        undefined,
        `the request is malformed: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
      );
    }
    const request = parsed.data;
    if (!this.#peers.take(requester.peer) || !this.#addresses.take(requester.address) || !this.#all.take("")) {
      throw new CheckpointError("BUSY", "too many requests for receipts: ask again in a second");
    }
    const { metrics, logger } = this.#context;
    try {
      const unverified = await this.#verify(request);
      if (unverified !== undefined) return this.#refuse(request, unverified);
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return this.#refuse(request, `this node cannot look at the chain now: ${error.message}`);
    }
    requester.prove();
    // Signed requests can be sent again by anyone who has seen them.
    if (!this.#leases.take(String(request.leaseId))) {
      throw new CheckpointError("BUSY", `lease ${String(request.leaseId)} asks too often: ask again in a second`);
    }
    let view: RequestView;
    try {
      view = await this.#look(request);
    } catch (error) {
      // The chain could not be asked: that says nothing about the lease, so nothing is signed.
      if (!(error instanceof ChainError)) throw error;
      return this.#refuse(request, `this node cannot look at the chain now: ${error.message}`);
    }
    const why = refusal(request, view);
    if (why !== undefined) return this.#refuse(request, why);

    const { leaseId, fence, progress, size } = request;
    const cid = fromChainCid(request).toString();
    // From now on: a copy that has just been made must be there when it is signed for, and after that.
    this.#asked.set(cid, { at: monotonicMs(), progress });
    this.#from.set(cid, view.producer?.endpoint.split(",").filter((address) => address !== "") ?? []);
    const state = await this.#copies.ask({ leaseId, fence, progress, size, cid }, WAIT_MS);
    if (state.kind === "copying") return state;
    this.#from.delete(cid);
    if (state.kind !== "held") return this.#refuse(request, state.why);
    const { signer, domain, nodeId } = this.#context;
    const signature = await signReceipt(signer, domain, request, nodeId);
    metrics.given.inc();
    logger.info({ lease: leaseId, cid, size, progress }, "signed for a checkpoint that this node holds");
    return { kind: "receipt", nodeId, signature };
  }

  /** Why a request is not its producer's, by what this node knows already; undefined if it is. */
  async #verify(request: ReceiptRequest): Promise<string | undefined> {
    const { leaseId, fence, size, signature } = request;
    const { domain, maxCheckpointBytes } = this.#context;
    const name = `lease ${String(leaseId)}`;
    if (size > maxCheckpointBytes) {
      return `${String(size)} bytes exceed the ${String(maxCheckpointBytes)} that this node takes in a checkpoint`;
    }
    const known = await this.#directory.find(leaseId, fence);
    if (!known) return `this node has not seen ${name} yet: ask again in some seconds`;
    const { lease, operator } = known;
    if (lease.fence !== fence) return `${name} has fence ${String(lease.fence)}, not ${String(fence)}`;
    const signer = receiptSigner(domain, holdingOf(request), { nodeId: lease.nodeId, signature });
    if (signer?.toLowerCase() === operator.toLowerCase()) return undefined;
    this.#directory.doubt(leaseId);
    return `the request is not signed by the operator of node ${String(lease.nodeId)}, which holds ${name}`;
  }

  /**
   * Lets go of copies that nobody will ask for: those of leases that are no longer of use, and those that are neither
   * among a lease's newest two on chain nor may become its newest: signed for a short while ago, and further than that one.
   *
   * @param kept Leases whose checkpoints are of use.
   * @param looked All that these were chosen from: copies of others came later, and have been signed for.
   */
  async tidy(block: BlockReference, kept: readonly Lease[], looked: ReadonlySet<number>): Promise<void> {
    const { store, session } = this.#context;
    const held = store.list().flatMap(({ cid, labels }) =>
      labels.flatMap((label) => {
        const leaseId = /^attested-(\d+)$/.exec(label)?.[1];
        return leaseId === undefined ? [] : [{ leaseId: Number(leaseId), label, cid: cid.toString() }];
      }),
    );
    const alive = new Set(kept.map(({ id }) => id));
    const here = new Set(held.map(({ cid }) => cid));
    for (const [cid, { at }] of this.#asked) {
      if (!here.has(cid) && monotonicMs() - at >= UNPOSTED_MS) this.#asked.delete(cid);
    }
    let freed = false;
    const byLease = [...Map.groupBy(held, (copy) => copy.leaseId)].filter(([leaseId]) => looked.has(leaseId));
    const newestOf = await Promise.all(
      byLease.map(async ([leaseId]) => (alive.has(leaseId) ? session.reader.newestCheckpoints(block, leaseId) : [])),
    );
    for (const [i, [leaseId, copies]] of byLease.entries()) {
      const newest = newestOf[i] ?? [];
      const wanted = new Set(newest.map((checkpoint) => fromChainCid(checkpoint).toString()));
      for (const { cid, label } of copies) {
        const { at, progress } = this.#asked.get(cid) ?? { at: this.#startedAt, progress: Infinity };
        const isUnposted = progress > (newest[0]?.progress ?? 0) && monotonicMs() - at < UNPOSTED_MS;
        if (wanted.has(cid) || (alive.has(leaseId) && isUnposted)) continue;
        await store.unpin(cid, label);
        this.#asked.delete(cid);
        freed = true;
      }
    }
    if (freed) await store.collectGarbage();
  }

  async #look(request: ReceiptRequest): Promise<RequestView> {
    const { session, nodeId, domain, maxCheckpointBytes, disk } = this.#context;
    const { reader } = session;
    const block = await reader.block();
    const [lease] = await reader.leasesThatExist(block, [request.leaseId]);
    const [producer, self, holders, newest] = await Promise.all([
      lease && reader.node(block, lease.nodeId),
      reader.node(block, nodeId),
      lease ? reader.holders(block, lease.id) : [],
      lease ? reader.newestCheckpoints(block, lease.id) : [],
    ]);
    const inItsName = { nodeId: producer?.id ?? 0, signature: request.signature };
    return {
      lease,
      producer,
      self,
      holders: holders.map((holder) => holder.nodeId),
      progress: newest[0]?.progress ?? 0,
      signer: receiptSigner(domain, holdingOf(request), inItsName),
      maxBytes: maxCheckpointBytes,
      full: await disk.look(),
    };
  }

  async #copy(wanted: Wanted, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
    const from = this.#from.get(wanted.cid) ?? [];
    this.#from.delete(wanted.cid);
    const { size } = await this.#context.store.fetch(wanted.cid, {
      ...{ signal, from },
      maxBytes: wanted.size,
      timeout: COPY_MS,
      stallTimeout: STALL_MS,
      pin: attestedLabel(wanted.leaseId),
      onProgress: ({ bytes }) => {
        onBytes(bytes);
      },
    });
    if (size === wanted.size) return;
    await this.#context.store.unpin(wanted.cid, attestedLabel(wanted.leaseId));
    throw new Error(`${wanted.cid} has ${String(size)} bytes, not the ${String(wanted.size)} that it is said to have`);
  }

  #refuse(request: ReceiptRequest | undefined, why: string): ReceiptAnswer {
    this.#context.metrics.refused.inc();
    this.#context.logger.debug({ lease: request?.leaseId, why }, "no receipt given");
    return { kind: "refused", why: why.slice(0, 1_000) };
  }
}

/** Label of the pins of copies that were signed for. */
function attestedLabel(leaseId: number): string {
  return `attested-${String(leaseId)}`;
}

function holdingOf({ leaseId, fence, digest, codec, progress, size }: ReceiptRequest): CheckpointClaim {
  return { leaseId, fence, digest, codec, progress, size };
}
