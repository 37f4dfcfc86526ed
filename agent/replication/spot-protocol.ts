import { z } from "zod";

/** Protocol by which holders are asked to prove that they still have what they signed for. */
export const SPOT_PROTOCOL = "/drmp/spot/1";

/** A question: for which content, and what the proof is bound to. */
export const spotRequest = z.strictObject({
  cid: z.string().max(128),
  nonce: z.string().regex(/^[0-9a-f]{64}$/, { error: "has to be 32 bytes in hexadecimal" }),
});
/** An answer: the leaf that the nonce picks, or why there is none. */
export const spotAnswer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("proof"),
    proof: z.strictObject({ leaf: z.string(), path: z.array(z.number()), digest: z.string() }),
  }),
  z.strictObject({ kind: z.literal("missing"), why: z.string() }),
]);
export type SpotAnswer = z.output<typeof spotAnswer>;
