import { setTimeout as delay } from "node:timers/promises";

import { DrmpError } from "@verai/errors/drmp-error";
import type { Receipt } from "@verai/client/checkpoint-receipt";
import type { ReceiptAnswer } from "./protocol.ts";

/** What happens while receipts are asked for, for logs. */
export type CollectEvent =
  | { readonly kind: "receipt"; readonly nodeId: number; readonly ms: number }
  | { readonly kind: "copying"; readonly nodeId: number; readonly bytes: number; readonly total: number }
  | { readonly kind: "passed over"; readonly nodeId: number; readonly why: string };

/** How receipts are asked for. Times in milliseconds. */
export interface CollectOptions {
  /** Asks one node once. A node that is not reached makes it reject. */
  readonly ask: (nodeId: number) => Promise<ReceiptAnswer>;
  /** Whether a receipt is what the chain will take. */
  readonly verify: (receipt: Receipt) => boolean;
  /** Nodes in the order in which they are asked. */
  readonly order: readonly number[];
  /** Receipts that are needed. */
  readonly needed: number;
  /** A copy on which nothing moves for so long is given up. */
  readonly stallMs: number;
  /** Pause before a node that is copying is asked again. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: CollectEvent) => void;
}

/** There are fewer receipts than needed. The message says what each node answered. */
export class TooFewReceiptsError extends DrmpError {
  override readonly name = "TooFewReceiptsError";

  constructor(got: number, needed: number, reasons: ReadonlyMap<number, string>) {
    const answers = [...reasons].map(([nodeId, why]) => `node ${String(nodeId)}: ${why}`);
    super(
      "TOO_FEW_RECEIPTS",
      `${String(got)} of ${String(needed)} receipts collected (${answers.length > 0 ? answers.join("; ") : "no other node is active"}); asked again as long as the lease lives`,
    );
  }
}

/**
 * Asks nodes for receipts, in their order, as many at once as are still needed; one that fails, refuses or stalls is
 * passed over for the next.
 *
 * @returns Receipts by ascending node id; exactly as many as needed.
 * @throws {@link TooFewReceiptsError}, or the signal's reason.
 */
export async function collectReceipts(options: CollectOptions): Promise<Receipt[]> {
  const { order, needed, signal } = options;
  const receipts: Receipt[] = [];
  const reasons = new Map<number, string>();
  const left = [...order];
  const askOneAfterTheOther = async (): Promise<void> => {
    for (let nodeId = left.shift(); nodeId !== undefined; nodeId = left.shift()) {
      signal.throwIfAborted();
      try {
        const started = performance.now();
        receipts.push(await askOne(nodeId, options));
        options.onEvent({ kind: "receipt", nodeId, ms: Math.round(performance.now() - started) });
        return;
      } catch (error) {
        signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        reasons.set(nodeId, why);
        options.onEvent({ kind: "passed over", nodeId, why });
      }
    }
  };
  await Promise.all(Array.from({ length: needed }, askOneAfterTheOther));
  if (receipts.length < needed) throw new TooFewReceiptsError(receipts.length, needed, reasons);
  return receipts.sort((a, b) => a.nodeId - b.nodeId);
}

/** A node's receipt. Rejects with the reason if there is none to be had. */
async function askOne(nodeId: number, options: CollectOptions): Promise<Receipt> {
  const { signal } = options;
  let reached = -1;
  let moved = performance.now();
  for (;;) {
    const answer = await options.ask(nodeId);
    signal.throwIfAborted();
    switch (answer.kind) {
      case "refused":
        throw new Error(answer.why);
      case "receipt": {
        const receipt = { nodeId: answer.nodeId, signature: answer.signature };
        if (answer.nodeId !== nodeId || !options.verify(receipt)) throw new Error("its signature is not its own");
        return receipt;
      }
      case "copying": {
        const { bytes, total } = answer;
        options.onEvent({ kind: "copying", nodeId, bytes, total });
        if (bytes > reached) {
          reached = bytes;
          moved = performance.now();
        } else if (performance.now() - moved > options.stallMs) {
          throw new Error(`its copy stands at ${String(bytes)} of ${String(total)} bytes`);
        }
        await delay(options.pauseMs, undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
      }
    }
  }
}
