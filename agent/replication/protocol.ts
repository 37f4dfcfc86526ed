import { z } from "zod";

/** Protocol by which receipts are asked for. */
export const RECEIPT_PROTOCOL = "/drmp/attest/1";

/** Longest request and answer, bytes of JSON. */
export const MAX_MESSAGE_BYTES = 4_096;

const uint = (bits: number) =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);
const signature = z.string().regex(/^0x[0-9a-f]{130}$/i, { error: "has to be 65 bytes in hexadecimal" });

/** A request for a receipt: the checkpoint, and its producer's own signature, by which others relay it safely. */
export const receiptRequest = z.strictObject({
  leaseId: uint(32),
  fence: uint(24),
  digest: z.string().regex(/^0x[0-9a-f]{64}$/i, { error: "has to be 32 bytes in hexadecimal" }),
  /** Raw or dag-pb, as the chain takes them. */
  codec: z.literal([0x55, 0x70]),
  progress: uint(40),
  size: uint(53),
  /** {@link signReceipt} by the operator of the lease's node, in that node's name. */
  signature,
});

/** An answer: the receipt, or how far the copy is (ask again), or why there will be none. */
export const receiptAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("receipt"), nodeId: uint(32), signature }),
  z.strictObject({ kind: z.literal("copying"), bytes: uint(53), total: uint(53) }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type ReceiptRequest = z.output<typeof receiptRequest>;
export type ReceiptAnswer = z.output<typeof receiptAnswer>;
