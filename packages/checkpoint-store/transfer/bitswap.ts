import { setTimeout as sleep } from "node:timers/promises";

import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";

import { CheckpointError } from "../errors.ts";
import { orAborted } from "../signals.ts";
import { monotonicMs } from "@verai/system/clock";

/** How long nothing may arrive before a block is asked for again, in ms: first, second…; the last one repeats. */
const STALL_MS = [300, 2_000, 2_000, 4_000, 8_000];
/** Helia withdraws an aborted want 10 ms later; asked for again before that, it would never be sent. */
const WITHDRAWAL_MS = 50;

/**
 * Blocks from all connected peers by bitswap, stored by Helia as they come. Helia's bitswap waits for ever for an
 * answer that was lost, and a peer leaves a repeated want unanswered that it believes served; so a block is asked for
 * again whenever nothing at all has arrived for a while. One instance serves one fetch.
 */
export class BitswapSource {
  readonly #blockstore: Pick<Blockstore, "get">;
  #lastArrival = 0;

  /** @param blockstore - Helia's, which asks the network for what is missing */
  constructor(blockstore: Pick<Blockstore, "get">) {
    this.#blockstore = blockstore;
  }

  /**
   * Waits for a block until Helia has stored it, or the signal aborts.
   *
   * @returns its bytes
   * @throws the signal's reason, or {@link CheckpointError} if the block can't be stored
   */
  async bring(cid: CID, signal: AbortSignal): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const stallMs = STALL_MS[Math.min(attempt, STALL_MS.length - 1)] ?? 0;
      try {
        return (await this.#ask(cid, signal, stallMs)).byteLength;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CheckpointError) throw error;
      }
      await sleep(WITHDRAWAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #ask(cid: CID, signal: AbortSignal, stallMs: number): Promise<Uint8Array> {
    const attempt = new AbortController();
    const began = monotonicMs();
    const timer = setInterval(() => {
      if (monotonicMs() - Math.max(began, this.#lastArrival) >= stallMs) attempt.abort();
    }, WITHDRAWAL_MS);
    try {
      const either = AbortSignal.any([signal, attempt.signal]);
      const bytes = await orAborted(readAll(this.#blockstore, cid, either), either);
      this.#lastArrival = monotonicMs();
      return bytes;
    } finally {
      clearInterval(timer);
    }
  }
}

async function readAll(blockstore: Pick<Blockstore, "get">, cid: CID, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blockstore.get(cid, { signal })) chunks.push(chunk);
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
}
