import { setTimeout as delay } from "node:timers/promises";

import type { openMarket } from "@verai/devnet/market";

/** What of BASE, its oracle and a keeper the time of a simulation is made of, seconds and blocks. */
export const BASE_TIMES = { block: 2, poll: 4, transactionBlocks: 2, oracleBlocks: 4 } as const;

/** Real milliseconds between two looks at whether the keeper waits for the chain. */
const LOOK_MS = 5;

type Market = Awaited<ReturnType<typeof openMarket>>;

/** A keeper: does what is due. */
interface Keeper {
  /** Whether it sent something. */
  cycle(): Promise<boolean>;
}

/** A round or a batch, as far as the oracle looks at it. */
interface Session {
  readonly requestId: bigint;
  /** 1: it waits for its seed. */
  readonly status: bigint;
}

/**
 * A chain with BASE's block time, its oracle and one keeper with one key. Time is the chain's: a transaction is mined two blocks
 * after the keeper sends it, the oracle answers after three confirmations and a transaction of its own, and a keeper with nothing to do
 * looks again after four seconds.
 */
export class SimulatedBase {
  readonly #market: Market;
  readonly #keeper: Keeper;
  readonly #session: () => Promise<Session>;
  #now: number;
  #blocks = 0;
  /** Blocks mined since the oldest transaction that waits was seen. */
  #waited = 0;
  /** Block of the request that the oracle has not answered. */
  #asked: { readonly id: bigint; readonly block: number } | undefined;
  #answered = 0n;

  /**
   * @param now - Time of the next block, seconds.
   * @param session - Reads the newest round, or the newest batch.
   */
  constructor(market: Market, keeper: Keeper, now: number, session: () => Promise<Session>) {
    this.#market = market;
    this.#keeper = keeper;
    this.#now = now;
    this.#session = session;
  }

  /** Blocks so far. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Time of the next block, seconds. */
  get now(): number {
    return this.#now;
  }

  /** From here on blocks are mined when the simulation says so. */
  async begin(): Promise<void> {
    await this.rpc("evm_setAutomine", false);
    await this.mine();
  }

  /** A cycle of the keeper and, where it sent nothing, its pause. */
  async step(): Promise<boolean> {
    const sent = await this.#cycle();
    if (!sent) for (let at = 0; at < BASE_TIMES.poll; at += BASE_TIMES.block) await this.mine();
    return sent;
  }

  /** Mines a block with all that waits, the oracle's answer among it where that is due. */
  async mine(): Promise<void> {
    const { contracts } = this.#market;
    this.#waited = 0;
    const { requestId, status } = await this.#session();
    if (status === 1n && requestId !== this.#answered) {
      this.#asked = this.#asked?.id === requestId ? this.#asked : { id: requestId, block: this.#blocks };
      if (this.#blocks - this.#asked.block >= BASE_TIMES.oracleBlocks - 1) {
        this.#answered = requestId;
        await contracts.coordinator.fulfillRandomWordsWithOverride(requestId, contracts.seeds, [requestId * 7_919n]);
      }
    }
    await this.rpc("evm_setNextBlockTimestamp", this.#now);
    await this.rpc("evm_mine");
    this.#pass();
  }

  async rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.#market.connection.provider.request({ method, params })) as T;
  }

  /** A cycle of the keeper; blocks are mined while it waits for one. */
  async #cycle(): Promise<boolean> {
    let done = false;
    const cycle = this.#keeper.cycle().finally(() => {
      done = true;
    });
    while (!done) {
      await Promise.race([cycle, delay(LOOK_MS)]);
      const pending = await this.rpc<unknown[]>("eth_pendingTransactions");
      if (pending.length === 0) continue;
      this.#waited += 1;
      if (this.#waited < BASE_TIMES.transactionBlocks) this.#pass();
      else await this.mine();
    }
    return cycle;
  }

  /** Lets a block's time pass. */
  #pass(): void {
    this.#now += BASE_TIMES.block;
    this.#blocks += 1;
  }
}
