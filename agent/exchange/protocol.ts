import { z } from "zod";

/** Protocol by which units of one task learn what the others have published. */
export const EXCHANGE_PROTOCOL = "/drmp/exchange/1";

/** Claims in one answer. */
export const CLAIMS_PER_ANSWER = 64;

/** Bytes of the longest request and answer. */
export const MAX_EXCHANGE_BYTES = 64 * 1024;

const uint = (bits: number) =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);

/** A file that was published, signed by the operator of the unit's node. */
export const signedClaim = z.strictObject({
  taskId: uint(32),
  unit: uint(24),
  leaseId: uint(32),
  fence: uint(24),
  kind: uint(8),
  round: uint(32),
  digest: z.string().regex(/^0x[0-9a-f]{64}$/, { error: "has to be 32 bytes in hexadecimal" }),
  /** Raw or dag-pb. */
  codec: uint(16).refine((codec) => [0x55, 0x70].includes(codec)),
  size: uint(53),
  signature: z.string().regex(/^0x[0-9a-f]{130}$/i, { error: "has to be 65 bytes in hexadecimal" }),
});

/** A request: what is new since the asker last asked. `epoch` and `since` are those of the last answer; 0 at first. */
export const exchangeRequest = z.strictObject({
  taskId: uint(32),
  epoch: uint(53),
  since: uint(53),
  /** For `exchangeSubject`. */
  proof: z.json(),
});

/** An answer: claims, and from where on to ask next; or why there are none. */
export const exchangeAnswer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("claims"),
    epoch: uint(53),
    since: uint(53),
    claims: z.array(signedClaim).max(CLAIMS_PER_ANSWER),
  }),
  z.strictObject({ kind: z.literal("none"), why: z.string().max(1_000) }),
]);

export type ExchangeAnswer = z.output<typeof exchangeAnswer>;
