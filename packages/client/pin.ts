import type { Provider } from "ethers";

import { RpcUnavailable } from "./errors.ts";
import { explain } from "./explain.ts";

/** Which block to read at: the newest, the newest posted to the L1, or the newest that cannot be undone. */
export type Finality = "latest" | "safe" | "finalized";

/** A block that all reads of a snapshot are pinned to. */
export interface Pin {
  readonly number: number;
  readonly hash: string;
  /** Chain time, seconds. */
  readonly timestamp: number;
}

/**
 * The newest block of a finality.
 *
 * @throws RpcUnavailable if the endpoint has none.
 */
export async function pinBlock(provider: Provider, finality: Finality | number = "latest"): Promise<Pin> {
  let block;
  try {
    block = await provider.getBlock(finality);
  } catch (error) {
    throw explain(error);
  }
  if (!block?.hash) {
    throw new RpcUnavailable(
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
export class PinTrack {
  readonly #provider: Provider;
  readonly #finality: Finality;
  #pins: Pin[] = [];

  constructor(provider: Provider, finality: Finality = "latest") {
    this.#provider = provider;
    this.#finality = finality;
  }

  /**
   * The next pin. `reorganised` is true if what was read at earlier pins no longer holds.
   *
   * @throws RpcUnavailable `behind` if the endpoint has not yet got the block of the last pin.
   */
  async next(): Promise<{ pin: Pin; reorganised: boolean }> {
    return this.#follow(await pinBlock(this.#provider, this.#finality));
  }

  /**
   * The next pin, without a request for an earlier block where it can be avoided: where `before` is given, whoever reads at
   * the pin also reads the hash of that block there, and tells it to {@link confirm}.
   *
   * @throws RpcUnavailable as {@link next} does.
   */
  async nextUnconfirmed(): Promise<{ pin: Pin; reorganised: boolean; before?: Pin }> {
    const pin = await pinBlock(this.#provider, this.#finality);
    const last = this.#pins.at(-1);
    const isNear = last !== undefined && pin.number > last.number && pin.number - last.number < HASHES;
    return isNear ? { pin, reorganised: false, before: last } : this.#follow(pin);
  }

  /**
   * Takes a pin whose ancestor was looked at. @param hash Of the block before, as read at the pin.
   *
   * @returns Whether what was read at earlier pins no longer holds.
   */
  confirm(pin: Pin, before: Pin, hash: string): boolean {
    return this.#accept(pin, hash !== before.hash).reorganised;
  }

  async #follow(pin: Pin): Promise<{ pin: Pin; reorganised: boolean }> {
    const last = this.#pins.at(-1);
    const common = this.#pins.findLast(({ number }) => number <= pin.number);
    if (!last) return this.#accept(pin, false);
    // No pin at or below the head: the chain was started again.
    if (!common) return this.#accept(pin, true);
    const now = common.number === pin.number ? pin : await pinBlock(this.#provider, common.number);
    if (now.hash !== common.hash) return this.#accept(pin, true);
    if (common !== last) {
      throw new RpcUnavailable(
        "behind",
        `The RPC endpoint is at block ${String(pin.number)}, but block ${String(last.number)} was seen before; wait until it has caught up.`,
      );
    }
    return this.#accept(pin, false);
  }

  #accept(pin: Pin, reorganised: boolean): { pin: Pin; reorganised: boolean } {
    this.#pins = [...(reorganised ? [] : this.#pins.filter(({ number }) => number < pin.number)), pin].slice(-MEMORY);
    return { pin, reorganised };
  }
}
