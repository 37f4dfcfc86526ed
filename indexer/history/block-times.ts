import type { BlockReference } from "@verai/client/block-reference";
import type { ChainStretch } from "@verai/client/chain-follower";

/** Seconds between two blocks of chains that never skip one: OP stack. */
const CONSTANT: Readonly<Record<number, number>> = { 8453: 2, 84532: 2 };

/** Blocks that are asked for at once. */
const AT_ONCE = 50;

/** Determines the times of blocks with events at little cost. */
export class BlockTimes {
  readonly #interval: number | undefined;
  readonly #blockAt: (number: number) => Promise<BlockReference | undefined>;

  constructor(chainId: number, blockAt: (number: number) => Promise<BlockReference | undefined>) {
    this.#interval = CONSTANT[chainId];
    this.#blockAt = blockAt;
  }

  /**
   * Times of a stretch's blocks with events: as the logs say, or by the chain's constant interval where both ends of the
   * stretch confirm it, or else from each block.
   *
   * @throws RangeError if the chain has no such block.
   */
  async of({ logs, after, position }: ChainStretch): Promise<(block: number) => number> {
    const known = new Map<number, number>([[position.number, position.timestamp]]);
    for (const { block, timestamp } of logs) if (timestamp !== undefined) known.set(block, timestamp);
    const interval = this.#interval;
    const first = logs[0]?.block;
    // The first stretch of all has nothing before it: its first block stands for that.
    const start = after ?? (interval === undefined || first === undefined ? undefined : await this.#blockAt(first));
    const isConstant =
      interval !== undefined &&
      start !== undefined &&
      position.timestamp - start.timestamp === interval * (position.number - start.number);
    if (isConstant) return (block) => position.timestamp - interval * (position.number - block);
    const missing = [...new Set(logs.map(({ block }) => block))].filter((block) => !known.has(block));
    for (let from = 0; from < missing.length; from += AT_ONCE) {
      const some = missing.slice(from, from + AT_ONCE);
      const found = await Promise.all(some.map((block) => this.#blockAt(block)));
      for (const block of found) if (block) known.set(block.number, block.timestamp);
    }
    return (block) => {
      const time = known.get(block);
      if (time === undefined) throw new RangeError(`The chain has no block ${String(block)} any longer.`);
      return time;
    };
  }
}
