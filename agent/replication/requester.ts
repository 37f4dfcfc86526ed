import type { Signer, TypedDataDomain } from "ethers";

import type { Holder } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import type { HolderBook } from "../node/copy-requests.ts";
import { type CollectEvent, collectReceipts } from "./collect.ts";
import { type HolderReceipt, type CheckpointClaim, receiptSigner, signReceipt } from "@verai/client/checkpoint-receipt";
import type { ReplicationMetrics } from "./replication-metrics.ts";
import type { PeerReputation } from "./reputation.ts";
import { RECEIPT_PROTOCOL, type ReceiptAnswer, receiptAnswer, MAX_MESSAGE_BYTES } from "./protocol.ts";

/** Time for one answer, milliseconds; a holder answers within two seconds, even if only with how far it is. */
const ANSWER_MS = 8_000;
/** A copy on which nothing moves for so long is given up, milliseconds. */
const STALL_MS = 20_000;
/** Pause before a holder that is copying is asked again, milliseconds. */
const PAUSE_MS = 100;
/** Minimum time between two log lines on the progress of a copy, milliseconds. */
const LOG_EVERY_MS = 5_000;

/** What receipts are asked for with. */
export interface RequesterContext {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "request">;
  /** The operator key. */
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  readonly logger: Logger;
  readonly metrics: ReplicationMetrics;
  readonly reputation: PeerReputation;
  readonly holders: HolderBook;
}

/** Asks other nodes to copy a checkpoint and to sign for it. */
export class ReceiptRequester {
  readonly #context: RequesterContext;

  constructor(context: RequesterContext) {
    this.#context = context;
  }

  /**
   * As many receipts for a checkpoint as its task asks for, or as its lease has holders, if these are fewer.
   *
   * @param replicas Copies that the task asks for.
   * @returns Receipts in the order in which the chain takes them.
   * @throws TooFewReceiptsError, RpcUnavailableError, or the signal's reason.
   */
  async receipts(claim: CheckpointClaim, replicas: number, signal: AbortSignal): Promise<HolderReceipt[]> {
    if (replicas === 0) return [];
    const { session, nodeId, signer, domain, reputation, metrics, logger } = this.#context;
    const { leaseId } = claim;
    const block = await session.reader.block();
    // Holders change as nodes come, go and fall silent: the chain takes receipts of those of now.
    this.#context.holders.forget(leaseId);
    const ranked = await this.#context.holders.of(block, leaseId, 0);
    const others = new Map(ranked.map((holder) => [holder.nodeId, holder]));
    const needed = Math.min(replicas, others.size);
    const request = { ...claim, signature: await signReceipt(signer, domain, claim, nodeId) };
    const started = performance.now();
    const gathered = collectReceipts({
      ask: (id) => this.#ask(others.get(id), request, signal),
      verify: (receipt) => receiptSigner(domain, claim, receipt) === others.get(receipt.nodeId)?.operator,
      order: reputation.order([...others.keys()], needed),
      needed,
      stallMs: STALL_MS,
      pauseMs: PAUSE_MS,
      signal,
      onEvent: this.#teller(claim.leaseId),
    });
    const receipts = await gathered.catch((error: unknown) => {
      // Some may have left, and others come.
      this.#context.holders.forget(leaseId);
      throw error;
    });
    const seconds = (performance.now() - started) / 1000;
    metrics.seconds.observe(seconds);
    metrics.got.inc(receipts.length);
    const by = receipts.map((receipt) => receipt.nodeId);
    logger.info({ lease: claim.leaseId, nodes: by, seconds: Number(seconds.toFixed(2)) }, "receipts collected");
    return receipts
      .map((receipt) => ({ ...receipt, candidate: others.get(receipt.nodeId)?.candidate ?? 0 }))
      .sort((a, b) => a.candidate - b.candidate);
  }

  async #ask(
    node: Holder | undefined,
    request: CheckpointClaim & { readonly signature: string },
    signal: AbortSignal,
  ): Promise<ReceiptAnswer> {
    if (!node || node.endpoint === "") throw new Error("it has no endpoint on chain");
    const { store, reputation } = this.#context;
    try {
      const options = { timeout: ANSWER_MS, maxBytes: MAX_MESSAGE_BYTES, signal };
      return receiptAnswer.parse(
        await store.request(node.endpoint.split(","), RECEIPT_PROTOCOL, { ...request }, options),
      );
    } catch (error) {
      if (!signal.aborted) reputation.note(node.nodeId, "unreached");
      throw error;
    }
  }

  /** Logs and counts what happens, progress not too often. */
  #teller(lease: number): (event: CollectEvent) => void {
    const { logger, metrics } = this.#context;
    let told = performance.now();
    return (event) => {
      const { kind, ...fields } = event;
      if (event.kind === "copying") {
        if (performance.now() - told < LOG_EVERY_MS) return;
        told = performance.now();
        logger.info({ lease, ...fields }, "a holder is copying");
      } else if (event.kind === "passed over") {
        metrics.passedOver.inc();
        logger.warn({ lease, ...fields }, "holder passed over");
      } else {
        logger.debug({ lease, ...fields }, kind);
      }
    };
  }
}
