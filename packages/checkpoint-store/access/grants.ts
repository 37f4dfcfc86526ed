import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import type { CID } from "multiformats/cid";

import { monotonicMs } from "@verai/system/clock";
import { blockName } from "../cids.ts";
import { SCHEME } from "./access.ts";

/** For how long a grant counts, seconds: whose reason has ended reads no more after it. */
export const GRANT_SECONDS = 60;
/** Grants remembered; beyond, the oldest is forgotten, and its holder asks again. */
const MAX_GRANTS = 2_048;

/** What a peer was granted. */
export interface Grant {
  readonly id: string;
  /** Secret of this grant, 32 bytes, for {@link blockCode}. */
  readonly key: Buffer;
  readonly peer: string;
  /** Root CID of the content. */
  readonly root: string;
}

/** What is pinned here under a root. */
export interface Pinned {
  readonly labels: readonly string[];
  /** Names of its blocks. */
  readonly blocks: ReadonlySet<string>;
}

/**
 * The code by which the holder of a grant asks for one block over HTTP. It is of use for this block and this grant alone: anyone who
 * reads it off an unencrypted line has read the block there already.
 */
function blockCode(key: Buffer, cid: CID): string {
  return createHmac("sha256", key).update(cid.toString()).digest("base64url");
}

/** The header by which a block is asked for. */
export function authorization({ id, key }: Pick<Grant, "id" | "key">, cid: CID): string {
  return `${SCHEME} ${id} ${blockCode(key, cid)}`;
}

/** Which peers may read which content, for a short while each. */
export class Grants {
  readonly #pinned: (root: string) => Pinned | undefined;
  readonly #now: () => number;
  /** In the order in which they were given. */
  readonly #grants = new Map<string, Grant & { readonly until: number }>();

  /** @param pinned - what is pinned under a root now */
  constructor(pinned: (root: string) => Pinned | undefined, now: () => number = monotonicMs) {
    this.#pinned = pinned;
    this.#now = now;
  }

  /** Lets a peer read all that is pinned under a root. */
  give(peer: string, root: string): Grant {
    const now = this.#now();
    for (const [id, { until }] of this.#grants) {
      if (until > now && this.#grants.size < MAX_GRANTS) break;
      this.#grants.delete(id);
    }
    const grant = { id: randomBytes(16).toString("base64url"), key: randomBytes(32), peer, root };
    this.#grants.set(grant.id, { ...grant, until: now + GRANT_SECONDS * 1000 });
    return grant;
  }

  /** Whether an HTTP request with this header may read a block. */
  admitsHeader(header: string | undefined, cid: CID): boolean {
    const [scheme, id = "", code = "", ...rest] = (header ?? "").split(" ");
    const grant = this.#grants.get(id);
    if (scheme !== SCHEME || rest.length > 0 || !grant) return false;
    const [given, right] = [Buffer.from(code), Buffer.from(blockCode(grant.key, cid))];
    return given.byteLength === right.byteLength && timingSafeEqual(given, right) && this.#covers(grant, cid);
  }

  /** Whether a peer, known by its connection, may read a block with a grant. */
  admitsPeer(peer: string, id: string, cid: CID): boolean {
    const grant = this.#grants.get(id);
    return grant?.peer === peer && this.#covers(grant, cid);
  }

  #covers({ root, until }: { readonly root: string; readonly until: number }, cid: CID): boolean {
    const name = blockName(cid);
    return until > this.#now() && name !== undefined && this.#pinned(root)?.blocks.has(name) === true;
  }
}
