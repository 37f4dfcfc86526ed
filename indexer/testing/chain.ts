import { toQuantity } from "ethers";

import type { BlockReference } from "@verai/client/block-reference";
import type { Chain } from "../indexer.ts";
import type { RawLog } from "./encode.ts";
import { Year, type YearSize } from "./year.ts";

interface Block {
  readonly hash: string;
  readonly logs: readonly RawLog[];
  /** Block of the year that its logs are of. */
  readonly year: number;
}

/** A small year for tests. */
const SMALL: YearSize = {
  nodes: 12,
  rounds: 6,
  tasksInRound: 2,
  leasesInTask: 5,
  roundBlocks: 30,
  checkpoints: 2,
  checkpointBlocks: 8,
  failsOneIn: 5,
  reportBlocks: 40,
};

/** A chain with a made-up history, whose last blocks can be replaced. */
export class TestChain implements Chain {
  readonly chainId = 31337;
  readonly year: Year;
  readonly #blocks: Block[] = [];
  #fork = 0;
  /** Blocks that the endpoint lags behind. */
  lag = 0;
  /** Block whose logs the endpoint keeps back. */
  hidden = -1;
  /** Called before every answer: may throw. */
  before: () => void = () => undefined;

  constructor(size: YearSize = SMALL) {
    this.year = new Year(size);
    this.#add([], -1);
  }

  /** Number of the newest block. */
  get height(): number {
    return this.#blocks.length - 1;
  }

  /** Whether the whole year has been mined. */
  get isOver(): boolean {
    return (this.#blocks.at(-1)?.year ?? 0) >= this.year.lastBlock;
  }

  /** Adds blocks with what happens next. */
  mine(count: number): void {
    for (let i = 0; i < count; i++) {
      const next = (this.#blocks.at(-1)?.year ?? -1) + 1;
      this.#add(this.year.logs(next, next), next);
    }
  }

  /** Replaces the newest blocks: everything in them happens later, after some blocks in which nothing does. */
  reorganise(depth: number, empty: number): void {
    this.#fork += 1;
    this.#blocks.splice(Math.max(1, this.#blocks.length - depth));
    const year = this.#blocks.at(-1)?.year ?? -1;
    for (let i = 0; i < empty; i++) this.#add([], year);
  }

  blockAt = async (number: number | "latest"): Promise<BlockReference | undefined> => {
    this.before();
    await Promise.resolve();
    const newest = Math.max(0, this.height - this.lag);
    const at = number === "latest" ? newest : number;
    const block = at <= newest ? this.#blocks[at] : undefined;
    return block && { number: at, hash: block.hash, timestamp: 1_800_000_000 + 3 * at };
  };

  send = async (_method: string, [filter]: unknown[]): Promise<unknown> => {
    this.before();
    await Promise.resolve();
    const { fromBlock, toBlock, topics } = filter as { fromBlock: string; toBlock: string; topics: string[][] };
    const wanted = new Set(topics[0]);
    const found: object[] = [];
    for (let at = Number(fromBlock); at <= Math.min(Number(toBlock), this.height - this.lag); at++) {
      const block = this.#blocks[at];
      if (!block || at === this.hidden) continue;
      for (const [i, log] of block.logs.entries()) {
        if (!wanted.has(log.topics[0] ?? "")) continue;
        const place = { blockNumber: toQuantity(at), blockHash: block.hash, logIndex: toQuantity(i) };
        found.push({ ...log, ...place, transactionHash: `${block.hash.slice(0, -2)}ff` });
      }
    }
    return found;
  };

  #add(logs: readonly RawLog[], year: number): void {
    const number = this.#blocks.length;
    const hash = `0x${this.#fork.toString(16).padStart(8, "0")}${number.toString(16).padStart(56, "0")}`;
    this.#blocks.push({ hash, logs, year });
  }
}
