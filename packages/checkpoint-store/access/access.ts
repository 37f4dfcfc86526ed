import type { Json } from "../messages/frames.ts";

/** What a store asks another for: to read some content, over a connection whose encryption proves the peer id. */
export interface AccessRequest {
  /** Root CID of the content, as text. */
  readonly root: string;
  /** Peer id of the store that asks. */
  readonly peer: string;
}

/**
 * Who may read what is in a store. The store itself knows neither keys nor chain: it carries proofs from one side to the other,
 * over connections that prove the peer id, and serves what was admitted.
 */
export interface Access {
  /**
   * Makes the proof that goes with a request of this store; null where it has none to give.
   *
   * @param hint - what the caller of the fetch said about its reason
   */
  prove(request: AccessRequest, hint: Json): Promise<Json>;

  /**
   * Whether the sender of a proof may read content that is pinned here under these labels.
   *
   * @param proof - from a stranger: check its shape
   * @returns undefined if it may, else why not, for the requester to read
   */
  refusal(request: AccessRequest, proof: unknown, labels: readonly string[]): Promise<string | undefined>;
}

/** Protocol by which access to some content is asked for. */
export const ACCESS_PROTOCOL = "/drmp/access/1";

/** Protocol by which single blocks are asked for where HTTP does not reach. */
export const BLOCK_PROTOCOL = "/drmp/block/1";

/** Bytes of the longest request for access, and answer. */
export const MAX_ACCESS_BYTES = 8 * 1024;

/** What an HTTP request for a block carries: which grant, and a code that only its holder could make for this block. */
export const SCHEME = "DRMP";
