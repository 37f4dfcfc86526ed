import { z } from "zod";

import { BlockNotFoundError } from "../blocks.ts";
import { MAX_BLOCK_BYTES, toCid } from "../cids.ts";
import { CheckpointError } from "../errors.ts";
import type { Json } from "../messages/frames.ts";
import type { Requester } from "../messages/messenger.ts";
import type { ServeBlock } from "../transfer/server.ts";
import type { Access } from "./access.ts";
import { GRANT_SECONDS, type Grants, type Pinned } from "./grants.ts";

/** Bytes of the longest answer with a block, which is in base64. */
export const MAX_BLOCK_MESSAGE = Math.ceil((MAX_BLOCK_BYTES * 4) / 3) + 1_024;
/** Blocks in memory at a time for requests by message. */
const MAX_BLOCKS = 16;

const accessRequest = z.strictObject({ root: z.string().max(128), proof: z.json() });
const blockRequest = z.strictObject({ grant: z.string().max(64), cid: z.string().max(128) });

/** Serves what was asked for with a reason, and nothing else. */
export class Gate {
  readonly #access: Access;
  readonly #grants: Grants;
  readonly #pinned: (root: string) => Pinned | undefined;
  readonly #read: ServeBlock;
  #reading = 0;

  constructor(access: Access, grants: Grants, pinned: (root: string) => Pinned | undefined, read: ServeBlock) {
    this.#access = access;
    this.#grants = grants;
    this.#pinned = pinned;
    this.#read = read;
  }

  /**
   * Answers a request for access. What is not here is refused in the same words as what may not be read, so that nobody learns who
   * holds what.
   *
   * @throws CheckpointError `REFUSED`
   */
  async grant(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<Json> {
    const parsed = accessRequest.safeParse(body);
    if (!parsed.success) throw new CheckpointError("BAD_MESSAGE", "the request for access is malformed");
    const root = toCid(parsed.data.root).toString();
    const labels = this.#pinned(root)?.labels ?? [];
    const why = await this.#access.refusal({ root, peer }, parsed.data.proof, labels);
    if (why !== undefined) throw new CheckpointError("REFUSED", why);
    // Without a label there is nothing that a reason could be for.
    if (labels.length === 0) throw new CheckpointError("REFUSED", `no reason to read ${root} here`);
    prove();
    const { id, key } = this.#grants.give(peer, root);
    return { id, key: key.toString("base64"), seconds: GRANT_SECONDS };
  }

  /**
   * Answers a request for a block by message.
   *
   * @throws CheckpointError `REFUSED`, `BUSY`, `NOT_FOUND`
   */
  async block(body: unknown, { peer }: Pick<Requester, "peer">): Promise<Json> {
    const parsed = blockRequest.safeParse(body);
    if (!parsed.success) throw new CheckpointError("BAD_MESSAGE", "the request for a block is malformed");
    const cid = toCid(parsed.data.cid);
    if (!this.#grants.admitsPeer(peer, parsed.data.grant, cid)) {
      throw new CheckpointError("REFUSED", "this block was not granted, or the grant is over: ask for access again");
    }
    if (this.#reading >= MAX_BLOCKS) throw new CheckpointError("BUSY", "too many blocks are being sent: ask again");
    this.#reading += 1;
    try {
      return { bytes: Buffer.from(await this.#read(cid)).toString("base64") };
    } catch (error) {
      if (!(error instanceof BlockNotFoundError)) throw error;
      throw new CheckpointError("NOT_FOUND", "no such block here");
    } finally {
      this.#reading -= 1;
    }
  }
}
