import type { ContentAccess } from "@verai/client/content-access";
import {
  MAX_OFFER_MESSAGE,
  OFFER_PROTOCOL,
  type OfferAnswer,
  offerAnswer,
  offerSubject,
  type SpecReceipt,
  specHoldingSigner,
} from "@verai/client/offer-protocol";
import type { Session } from "@verai/client/session";
import { specNodes } from "@verai/client/task-endpoints";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { checkpointCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import type { TypedDataDomain } from "ethers";
import type { SpecOffers } from "../node/spec-offers.ts";

/** Time for one answer, milliseconds. */
const ANSWER_MS = 8_000;

/** What specs are handed on with. */
export interface SpecDoorParts {
  readonly session: Pick<Session, "reader">;
  readonly store: Pick<CheckpointStore, "request" | "peerId">;
  readonly access: Pick<ContentAccess, "prove">;
  readonly offers: Pick<SpecOffers, "hold">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
}

/** Who holds a spec. */
export interface SpecHeld {
  readonly cid: string;
  readonly receipts: readonly SpecReceipt[];
  /** Why others do not. */
  readonly reasons: readonly string[];
}

/**
 * Has nodes hold a spec for a task that is about to be submitted: those that its digest draws, one after the other where one refuses or
 * is not reached.
 *
 * @param needed Nodes that must sign; fewer do where there are no more.
 */
export async function holdSpec(
  { session, store, access, offers, domain, nodeId }: SpecDoorParts,
  spec: Uint8Array,
  owner: string,
  needed: number,
): Promise<SpecHeld> {
  const { reader } = session;
  const cid = checkpointCid(spec);
  const { digest } = toChainCid(cid);
  const left = await specNodes(reader, digest);
  const receipts: SpecReceipt[] = [];
  const reasons: string[] = [];
  const ask = async (endpoint: string): Promise<OfferAnswer> => {
    const proof = await access.prove({ root: offerSubject(cid.toString()), peer: store.peerId });
    const body = { spec: Buffer.from(spec).toString("base64"), owner, proof };
    const peer = endpoint.split(",").filter((address) => address.includes("/p2p/"));
    const bounds = { timeout: ANSWER_MS, maxBytes: MAX_OFFER_MESSAGE };
    return offerAnswer.parse(await store.request(peer, OFFER_PROTOCOL, body, bounds));
  };
  const askOneAfterTheOther = async (): Promise<void> => {
    for (let node = left.shift(); node !== undefined; node = left.shift()) {
      const { id, operator, endpoint } = node;
      let why: string;
      try {
        const answered =
          id === nodeId ? await offers.hold(spec, owner, nodeId, await reader.block()) : await ask(endpoint);
        if (answered.kind === "held") {
          const { receipt } = answered;
          const signer = specHoldingSigner(domain, { ...receipt, spec: digest, owner, nodeId: id }, receipt.signature);
          if (receipt.nodeId === id && signer?.toLowerCase() === operator.toLowerCase()) {
            receipts.push(receipt);
            return;
          }
          why = "its signature is not its own";
        } else why = answered.why;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      reasons.push(`node ${String(id)}: ${why}`);
    }
  };
  await Promise.all(Array.from({ length: needed }, askOneAfterTheOther));
  return { cid: cid.toString(), receipts, reasons };
}
