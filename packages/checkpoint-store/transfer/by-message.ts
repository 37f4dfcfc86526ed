import { setTimeout as sleep } from "node:timers/promises";

import type { CID } from "multiformats/cid";
import { z } from "zod";

import { BLOCK_PROTOCOL } from "../access/access.ts";
import { MAX_BLOCK_MESSAGE } from "../access/gate.ts";
import { type Ask, peerIdOf } from "../access/tickets.ts";
import type { BlockFiles } from "../blocks.ts";
import { CheckpointError } from "../errors.ts";
import { orAborted } from "../signals.ts";
import type { Credentials } from "./puller.ts";

/** Pause before peers are asked again for a block that none gave, milliseconds. */
const PAUSE_MS = 1_000;
/** Pause after a peer was busy, milliseconds; up to twice as long. */
const BUSY_MS = 200;
/** Time for one block, milliseconds. */
const BLOCK_MS = 30_000;
/** Peers asked for a block in one round. */
const MAX_PEERS = 128;

const answer = z.strictObject({ bytes: z.base64().max(MAX_BLOCK_MESSAGE) });

/** What blocks are asked for with. */
export interface MessageParts {
  readonly ask: Ask;
  readonly blocks: Pick<BlockFiles, "write">;
  readonly credentials: Credentials;
  /** Peers that can be asked now, those first that should have it. */
  readonly peers: () => readonly (string | readonly string[])[];
}

/**
 * Blocks in messages of libp2p, from peers that have granted access: for those that cannot be dialled over HTTP, such as a
 * developer's machine behind a router, which has called on this one. One instance serves one fetch.
 */
export class MessageSource {
  readonly #parts: MessageParts;
  /** Who gave the last block. */
  #giver: string | readonly string[] | undefined;

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  /**
   * Waits for a block until a peer has given it, or the signal aborts.
   *
   * @returns its bytes
   * @throws the signal's reason, or {@link CheckpointError} if the block can't be stored
   */
  async bring(cid: CID, signal: AbortSignal): Promise<number> {
    for (;;) {
      const giver = this.#giver;
      for (const peer of [...(giver === undefined ? [] : [giver]), ...this.#peers()]) {
        const bytes = await this.#from(peer, cid, signal);
        if (bytes === undefined) continue;
        this.#giver = peer;
        return bytes;
      }
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
  }

  #peers(): (string | readonly string[])[] {
    const byId = new Map<string, string | readonly string[]>();
    for (const peer of this.#parts.peers()) {
      const id = peerIdOf(peer);
      if (byId.size < MAX_PEERS && !byId.has(id)) byId.set(id, peer);
    }
    return [...byId.values()];
  }

  /** @returns the bytes of a block that this peer gave; undefined if it gave none. */
  async #from(peer: string | readonly string[], cid: CID, signal: AbortSignal): Promise<number | undefined> {
    const { ask, blocks, credentials } = this.#parts;
    for (let isFirst = true; ;) {
      signal.throwIfAborted();
      const standing = await orAborted(credentials.at(peer), signal);
      if (standing.kind !== "granted") return undefined;
      try {
        const body = { grant: standing.ticket.id, cid: cid.toString() };
        const options = { timeout: BLOCK_MS, maxBytes: MAX_BLOCK_MESSAGE, signal };
        const bytes = Buffer.from(answer.parse(await ask(peer, BLOCK_PROTOCOL, body, options)).bytes, "base64");
        await blocks.write(cid, bytes);
        return bytes.byteLength;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CheckpointError)) return undefined;
        if (error.code === "BUSY") {
          await sleep(BUSY_MS * (1 + Math.random()), undefined, { signal }).catch(() => {
            throw signal.reason;
          });
          continue;
        }
        // It was started again, and no longer knows what it granted.
        if (error.code === "REFUSED" && error.peerCode === "REFUSED" && isFirst) {
          credentials.forget(peer);
          isFirst = false;
          continue;
        }
        if (["STORE_FULL", "DISK_FULL", "DISK_FAILED", "NOT_STARTED"].includes(error.code)) throw error;
        return undefined;
      }
    }
  }
}
