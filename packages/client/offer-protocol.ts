import { type Signer, type TypedDataDomain, verifyTypedData } from "ethers";
import { z } from "zod";

/** Protocol by which a node asks others to hold a spec for a task that is about to be submitted. */
export const OFFER_PROTOCOL = "/drmp/offer/1";

/** Bytes of the longest spec that is held before its task: that of a spec in clear. */
export const MAX_OFFER_BYTES = 64 * 1024;

/** Bytes of the longest request and answer: a spec in base64, and what stands beside it. */
export const MAX_OFFER_MESSAGE = Math.ceil((MAX_OFFER_BYTES * 4) / 3) + 4_096;

/** For how long a spec is held for a task that has not come yet, seconds. */
export const OFFER_SECONDS = 1_200;

const id = z
  .number()
  .int()
  .min(1)
  .max(2 ** 32 - 1);
const owner = z.string().regex(/^0x[0-9a-fA-F]{40}$/);

/** A request: the spec, who is going to submit it, and a proof of a node's operator key (see {@link offerSubject}). */
export const offerRequest = z.strictObject({
  spec: z.base64().max(MAX_OFFER_MESSAGE),
  owner,
  proof: z.json(),
});

/** What a holder gives: it has the spec, durably, until a time (chain time, seconds), and from then on if a task of the owner names it. */
const specReceipt = z.strictObject({
  nodeId: id,
  until: z.number().int().positive(),
  signature: z.string().max(200),
});

export type SpecReceipt = z.output<typeof specReceipt>;

/** An answer: a receipt, or why there is none. */
export const offerAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("held"), receipt: specReceipt }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type OfferAnswer = z.output<typeof offerAnswer>;

/** What a node proves its key for when it asks others to hold a spec. */
export function offerSubject(cid: string): string {
  return `spec ${cid} before its task`;
}

/** What a holder of a spec signs (EIP-712). */
const SPEC_RECEIPT_TYPES = {
  SpecReceipt: [
    { name: "spec", type: "bytes32" },
    { name: "owner", type: "address" },
    { name: "nodeId", type: "uint32" },
    { name: "until", type: "uint64" },
  ],
};

/** A spec that is held: by its digest, for whom, by which node, until when. */
export interface SpecHolding {
  readonly spec: string;
  readonly owner: string;
  readonly nodeId: number;
  readonly until: number;
}

/** Signs for a spec. */
export async function signSpecHolding(
  signer: Pick<Signer, "signTypedData">,
  domain: TypedDataDomain,
  holding: SpecHolding,
): Promise<string> {
  return signer.signTypedData(domain, SPEC_RECEIPT_TYPES, { ...holding });
}

/** Who signed for it; undefined where it is no signature at all. */
export function specHoldingSigner(
  domain: TypedDataDomain,
  holding: SpecHolding,
  signature: string,
): string | undefined {
  try {
    return verifyTypedData(domain, SPEC_RECEIPT_TYPES, { ...holding }, signature);
  } catch {
    return undefined;
  }
}
