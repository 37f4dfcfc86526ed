import { hash } from "node:crypto";

import type { CID } from "multiformats/cid";

import { blockName } from "./cids.ts";

/** Whether the bytes are those that the CID names (SHA-256 by node:crypto). */
export function matches(cid: CID, bytes: Uint8Array): boolean {
  return hash("sha256", bytes, "hex") === blockName(cid);
}
