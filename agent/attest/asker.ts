import type { Signer, TypedDataDomain } from "ethers";

import type { Node } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { type GatherEvent, gatherReceipts } from "./gather.ts";
import { type HolderReceipt, type Holding, holdingSigner, signHolding } from "@verai/client/holding";
import type { AttestMetrics } from "./metrics.ts";
import type { Doubts } from "./order.ts";
import { ATTEST_PROTOCOL, type AttestAnswer, attestAnswer, MAX_MESSAGE_BYTES } from "./wire.ts";

/** Time for one answer, milliseconds; a holder answers within two seconds, even if only with how far it is. */
const ANSWER_MS = 8_000;
/** A copy on which nothing moves for so long is given up, milliseconds. */
const STALL_MS = 20_000;
/** Pause before a holder that is copying is asked again, milliseconds. */
const PAUSE_MS = 100;
/** Minimum time between two log lines on the progress of a copy, milliseconds. */
const LOG_EVERY_MS = 5_000;

/** What receipts are asked for with. */
export interface AskerParts {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "request">;
  /** The operator key. */
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  readonly logger: Logger;
  readonly metrics: AttestMetrics;
  readonly doubts: Doubts;
}

/** Asks other nodes to copy a checkpoint and to sign for it. */
export class ReceiptAsker {
  readonly #parts: AskerParts;

  constructor(parts: AskerParts) {
    this.#parts = parts;
  }

  /**
   * As many receipts for a checkpoint as its task asks for, or as its lease has holders, if these are fewer.
   *
   * @param replicas Copies that the task asks for.
   * @returns Receipts in the order in which the chain takes them.
   * @throws TooFewReceipts, RpcUnavailable, or the signal's reason.
   */
  async receipts(holding: Holding, replicas: number, signal: AbortSignal): Promise<HolderReceipt[]> {
    if (replicas === 0) return [];
    const { session, nodeId, signer, domain, doubts, metrics, logger } = this.#parts;
    const pin = await session.reader.pin();
    const holders = await session.reader.holders(pin, holding.leaseId);
    const candidates = new Map(holders.map((holder) => [holder.nodeId, holder.candidate]));
    const nodes = await Promise.all(holders.map(async (holder) => session.reader.node(pin, holder.nodeId)));
    const others = new Map(nodes.flatMap((node) => (node ? [[node.id, node]] : [])));
    const needed = Math.min(replicas, holders.length);
    const request = { ...holding, signature: await signHolding(signer, domain, holding, nodeId) };
    const started = performance.now();
    const receipts = await gatherReceipts({
      ask: (id) => this.#ask(others.get(id), request, signal),
      verify: (receipt) => holdingSigner(domain, holding, receipt) === others.get(receipt.nodeId)?.operator,
      order: doubts.order([...candidates.keys()], needed),
      needed,
      stallMs: STALL_MS,
      pauseMs: PAUSE_MS,
      signal,
      onEvent: this.#teller(holding.leaseId),
    });
    const seconds = (performance.now() - started) / 1000;
    metrics.seconds.observe(seconds);
    metrics.got.inc(receipts.length);
    const by = receipts.map((receipt) => receipt.nodeId);
    logger.info({ lease: holding.leaseId, nodes: by, seconds: Number(seconds.toFixed(2)) }, "receipts collected");
    return receipts
      .map((receipt) => ({ ...receipt, candidate: candidates.get(receipt.nodeId) ?? 0 }))
      .sort((a, b) => a.candidate - b.candidate);
  }

  async #ask(
    node: Node | undefined,
    request: Holding & { readonly signature: string },
    signal: AbortSignal,
  ): Promise<AttestAnswer> {
    if (!node || node.endpoint === "") throw new Error("it does not say where it is reached");
    const { store, doubts } = this.#parts;
    try {
      const options = { timeout: ANSWER_MS, maxBytes: MAX_MESSAGE_BYTES, signal };
      return attestAnswer.parse(
        await store.request(node.endpoint.split(","), ATTEST_PROTOCOL, { ...request }, options),
      );
    } catch (error) {
      if (!signal.aborted) doubts.note(node.id, "unreached");
      throw error;
    }
  }

  /** Logs and counts what happens, progress not too often. */
  #teller(lease: number): (event: GatherEvent) => void {
    const { logger, metrics } = this.#parts;
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
