import { setTimeout as sleep } from "node:timers/promises";

import type { CID } from "multiformats/cid";

import type { BitswapSource } from "./bitswap.ts";
import type { MessageSource } from "./by-message.ts";
import type { Asking } from "./puller.ts";

/** Pauses between two rounds of asking all HTTP peers for a block that none had, ms; the last one repeats. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Blocks from the network: over HTTP where a peer has them; where none has, in messages from peers that grant access and by bitswap
 * from every connected peer, while HTTP is tried again now and then. One instance serves one fetch.
 */
export class NetworkSource {
  readonly #http: Asking;
  readonly #bitswap: BitswapSource;
  readonly #messages: MessageSource | undefined;

  constructor(http: Asking, bitswap: BitswapSource, messages?: MessageSource) {
    this.#http = http;
    this.#bitswap = bitswap;
    this.#messages = messages;
  }

  /** What peers said that grant nothing. */
  get refusals(): readonly string[] {
    return this.#http.refusals;
  }

  /** What peers did wrong, in words. */
  get complaints(): readonly string[] {
    return this.#http.complaints;
  }

  /**
   * Waits until a block has come, verified, into the store.
   *
   * @returns its bytes
   * @throws CheckpointError if it can't be stored; the signal's reason
   */
  async bring(cid: CID, signal: AbortSignal): Promise<number> {
    const bytes = await this.#http.bring(cid, signal);
    if (bytes !== undefined) return bytes;
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const ways = [
      ...(this.#messages ? [this.#messages.bring(cid, either)] : []),
      this.#bitswap.bring(cid, either),
      this.#again(cid, either),
    ];
    try {
      return await Promise.race(ways);
    } finally {
      done.abort(new Error("it came another way"));
      await Promise.allSettled(ways);
    }
  }

  async #again(cid: CID, signal: AbortSignal): Promise<number> {
    for (let round = 0; ; round++) {
      await sleep(PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)], undefined, { signal }).catch(() => {
        throw signal.reason;
      });
      const bytes = await this.#http.bring(cid, signal);
      if (bytes !== undefined) return bytes;
    }
  }
}
