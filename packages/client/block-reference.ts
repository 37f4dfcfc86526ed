import type { Provider } from "ethers";

import { RpcUnavailableError } from "./errors.ts";
import { explain } from "./error-messages.ts";

/** Which block to read at: the newest, the newest posted to the L1, or the newest that cannot be undone. */
export type Finality = "latest" | "safe" | "finalized";

/** A block that all reads of a snapshot are pinned to. */
export interface BlockReference {
  readonly number: number;
  readonly hash: string;
  /** Chain time, seconds. */
  readonly timestamp: number;
}

/**
 * The newest block of a finality.
 *
 * @throws RpcUnavailableError if the endpoint has none.
 */
export async function blockReference(
  provider: Provider,
  finality: Finality | number = "latest",
): Promise<BlockReference> {
  let block;
  try {
    block = await provider.getBlock(finality);
  } catch (error) {
    throw explain(error);
  }
  if (!block?.hash) {
    throw new RpcUnavailableError(
      "behind",
      `The RPC endpoint has no ${String(finality)} block; wait until it has caught up.`,
    );
  }
  return { number: block.number, hash: block.hash, timestamp: block.timestamp };
}

/** Blocks whose hashes contracts can read. */
const HASHES = 256;

/** How many pins are remembered: a reorganisation deeper than this much is taken for a new chain. */
const MEMORY = 64;

/**
 * Follows a chain pin by pin and tells apart what looks alike: an endpoint that lags behind (the state read before still
 * holds; nothing may be concluded from the older one) and a reorganisation (everything read before is to be read again).
 */
export class BlockTracker {
  readonly #provider: Provider;
  readonly #finality: Finality;
  #blocks: BlockReference[] = [];

  constructor(provider: Provider, finality: Finality = "latest") {
    this.#provider = provider;
    this.#finality = finality;
  }

  /**
   * The next pin. `reorganised` is true if what was read at earlier pins no longer holds.
   *
   * @throws RpcUnavailableError `behind` if the endpoint has not yet got the block of the last pin.
   */
  async next(): Promise<{ block: BlockReference; reorganised: boolean }> {
    return this.#follow(await blockReference(this.#provider, this.#finality));
  }

  /**
   * The next pin, without a request for an earlier block where it can be avoided: where `before` is given, the caller reads at
   * the pin also the hash of that block there, and tells it to {@link confirm}.
   *
   * @throws RpcUnavailableError as {@link next} does.
   */
  async nextUnconfirmed(): Promise<{ block: BlockReference; reorganised: boolean; before?: BlockReference }> {
    const block = await blockReference(this.#provider, this.#finality);
    const last = this.#blocks.at(-1);
    const isNear = last !== undefined && block.number > last.number && block.number - last.number < HASHES;
    return isNear ? { block, reorganised: false, before: last } : this.#follow(block);
  }

  /**
   * Takes a pin whose ancestor was looked at. @param hash Of the block before, as read at the pin.
   *
   * @returns Whether what was read at earlier pins no longer holds.
   */
  confirm(block: BlockReference, before: BlockReference, hash: string): boolean {
    return this.#accept(block, hash !== before.hash).reorganised;
  }

  async #follow(block: BlockReference): Promise<{ block: BlockReference; reorganised: boolean }> {
    const last = this.#blocks.at(-1);
    const common = this.#blocks.findLast(({ number }) => number <= block.number);
    if (!last) return this.#accept(block, false);
    // No pin at or below the head: the chain was started again.
    if (!common) return this.#accept(block, true);
    const now = common.number === block.number ? block : await blockReference(this.#provider, common.number);
    if (now.hash !== common.hash) return this.#accept(block, true);
    if (common !== last) {
      throw new RpcUnavailableError(
        "behind",
        `The RPC endpoint is at block ${String(block.number)}, but block ${String(last.number)} was seen before; wait until it has caught up.`,
      );
    }
    return this.#accept(block, false);
  }

  #accept(block: BlockReference, reorganised: boolean): { block: BlockReference; reorganised: boolean } {
    this.#blocks = [...(reorganised ? [] : this.#blocks.filter(({ number }) => number < block.number)), block].slice(
      -MEMORY,
    );
    return { block, reorganised };
  }
}
