import { setImmediate as nextTurn } from "node:timers/promises";

import type { BlockReference } from "./block-reference.ts";
import { RpcUnavailableError } from "./errors.ts";
import { type EventLog, type LogFilter, LogScanner, type LogSource } from "./event-logs.ts";

/** Blocks before the newest position that are looked at again: an endpoint may have lagged without a word. */
const OVERLAP = 16;

/** Blocks below the head from which on what is taken in can be undone: an hour on BASE. */
const UNDOABLE = 1_800;

/**
 * Ranges that are asked for beyond the one that is taken in: while a store works without a pause nothing is sent, so that there
 * must be enough under way for the endpoint to work on: more than are written together. So many answers are held at most.
 */
const AHEAD = 6;

/**
 * Old ranges that are taken in at once, and events after which no more are added: a row that many of them change is written
 * once. They are held in memory, and read again after a crash.
 */
const RANGES_TOGETHER = 8;
const EVENTS_TOGETHER = 20_000;

/** Events of a stretch of blocks, with the position that it ends at. */
export interface ChainStretch {
  /** Last block before it; undefined if it begins with the first one. */
  readonly after: BlockReference | undefined;
  readonly logs: readonly EventLog[];
  /** Last block. */
  readonly position: BlockReference;
  /** Whether it has to be possible to undo it. A stretch that is not ends every earlier position's being one to go back to. */
  readonly undoable: boolean;
}

/**
 * Where a follower keeps how far it got, and what the events bring: any database. Each method is one transaction, so that a
 * process that is killed anywhere goes on from its newest position and has taken everything in once.
 */
export interface FollowerStore {
  /** Remembered positions that can be gone back to, the newest first. */
  positions(): Promise<readonly BlockReference[]>;
  /** Takes in a stretch, and remembers its position. */
  take(stretch: ChainStretch): Promise<void>;
  /** Undoes what came after the remembered position of this number, positions included; all of it if there is none. */
  undo(after: number | undefined): Promise<void>;
}

/** What a follower works with. */
export interface ChainFollowerOptions {
  readonly source: LogSource;
  /** Which events are followed. */
  readonly filter: LogFilter;
  /** A block of the chain by its number; undefined if there is none. */
  readonly blockAt: (number: number) => Promise<BlockReference | undefined>;
  readonly store: FollowerStore;
  /** First block with an event. */
  readonly first: number;
  /** Maximum of blocks in one request. */
  readonly maxRange?: number;
}

/** How far a follower has come. */
export interface Followed {
  /** Undefined before the first stretch. */
  readonly position: BlockReference | undefined;
  /** Blocks that were undone. */
  readonly undone: number;
}

/**
 * Follows a chain's events into a store, range by range, from the store's own cursor. Before anything is taken in the newest
 * position is compared with the chain; where it was reorganised, blocks are undone back to the newest position in common. The
 * next ranges are asked for while one is written.
 *
 * An event that an endpoint kept back is found when the newest blocks are looked at again: what came after it is undone, and
 * taken in once more in order.
 */
export class ChainFollower {
  readonly #options: ChainFollowerOptions;
  readonly #scanner: LogScanner;
  /** Events of the newest blocks that were taken in. */
  readonly #recent = new Map<string, number>();
  /** Position after which this process has seen everything itself. */
  #since: number | undefined;

  constructor(options: ChainFollowerOptions) {
    this.#options = options;
    this.#scanner = new LogScanner(options.source, options.maxRange);
  }

  /** Blocks that the next request for logs covers. */
  get range(): number {
    return this.#scanner.range;
  }

  /**
   * Takes in everything up to a block. Not to be called while it runs. What was taken in stays if it fails.
   *
   * @param head The newest block.
   * @param signal Ends it after the stretch that is being written.
   * @throws RpcUnavailableError if an endpoint does not answer, or the chain is reorganised meanwhile: look again.
   */
  async follow(head: BlockReference, signal?: AbortSignal): Promise<Followed> {
    const before = (await this.#options.store.positions())[0];
    const undone = await this.#undoForks(head);
    let position = (await this.#options.store.positions())[0];
    if (this.#since === undefined) position = await this.#begin(position);
    const back = before && position ? Math.max(0, before.number - position.number) : (before?.number ?? 0);
    if (position && position.number >= head.number) return { position, undone: undone ? back : 0 };
    position = await this.#advance(head, position, signal);
    return { position, undone: undone ? back : 0 };
  }

  /** Before the first look of this process: the newest blocks are taken in again, as nobody knows what an endpoint kept back. */
  async #begin(position: BlockReference | undefined): Promise<BlockReference | undefined> {
    const { store } = this.#options;
    let start = position;
    if (position) {
      const earlier = (await store.positions()).find(({ number }) => number <= position.number - OVERLAP);
      if (earlier) {
        await store.undo(earlier.number);
        start = earlier;
      }
    }
    this.#since = start?.number ?? -1;
    return start;
  }

  /** Undoes what is no longer of the chain. @returns Whether anything was. */
  async #undoForks(head: BlockReference): Promise<boolean> {
    const { store, blockAt } = this.#options;
    const positions = await store.positions();
    let common: number | undefined;
    for (const { number, hash } of positions) {
      // An endpoint that lags has not got the newest ones: nothing follows from that.
      if (number > head.number) continue;
      const now = number === head.number ? head : await blockAt(number);
      if (now?.hash !== hash) continue;
      common = number;
      break;
    }
    const newest = positions[0];
    if (!newest || common === newest.number) return false;
    const isLagging = newest.number > head.number && common !== undefined && common === newestUpTo(positions, head);
    if (isLagging) {
      throw new RpcUnavailableError(
        "behind",
        `The RPC endpoint is at block ${String(head.number)}, but block ${String(newest.number)} was seen before; wait until it has caught up.`,
      );
    }
    await this.#undo(common);
    return true;
  }

  async #undo(after: number | undefined): Promise<void> {
    this.#recent.clear();
    this.#since = after ?? -1;
    await this.#options.store.undo(after);
  }

  async #advance(
    head: BlockReference,
    from: BlockReference | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BlockReference | undefined> {
    const { filter, store, first } = this.#options;
    const start = from ? Math.max(this.#since ?? -1, from.number - OVERLAP) + 1 : first;
    for (const [key, block] of this.#recent) if (block < start) this.#recent.delete(key);
    let position = from;
    let after = from;
    let held: EventLog[] = [];
    let ranges = 0;
    let written = Promise.resolve();
    const write = async (end: BlockReference) => {
      await written;
      const stretch = { after, logs: held, position: end, undoable: isNew(end.number, head) };
      // What has arrived meanwhile is read first: a store may work without a pause.
      written = nextTurn().then(async () => {
        await store.take(stretch);
        // No endpoint lags by as much: blocks before an old position are not looked at again.
        if (!stretch.undoable) this.#since = end.number;
      });
      written.catch(() => undefined);
      [after, held, ranges] = [end, [], 0];
    };
    // Ends of old ranges, asked for together with their logs: no reorganisation reaches them.
    const ends = new Map<number, Promise<BlockReference | undefined>>();
    const onAsk = (through: number) => {
      if (isNew(through, head)) return;
      const end = this.#options.blockAt(through);
      end.catch(() => undefined);
      ends.set(through, end);
    };
    try {
      const take = async (found: readonly EventLog[], through: number) => {
        signal?.throwIfAborted();
        const logs = found.filter((log) => !this.#recent.has(keyOf(log)));
        const late = logs[0];
        if (late && position && late.block <= position.number) await this.#goBack(late.block);
        if (position && through <= position.number) return;
        const end = await this.#endOf(through, head, logs, ends.get(through));
        for (const each of ends.keys()) if (each <= through) ends.delete(each);
        // What can be undone stays a stretch of its own.
        if (ranges > 0 && position && isNew(through, head)) await write(position);
        position = end;
        held.push(...logs);
        ranges += 1;
        if (ranges >= RANGES_TOGETHER || held.length >= EVENTS_TOGETHER || isNew(through, head)) await write(end);
        for (const log of logs) if (log.block > head.number - 2 * OVERLAP) this.#recent.set(keyOf(log), log.block);
      };
      await this.#scanner.each(filter, start, head.number, take, { ahead: AHEAD, onAsk });
    } finally {
      await written;
    }
    return after;
  }

  /** Undoes down to before a block of which an event is missing. */
  async #goBack(block: number): Promise<never> {
    const positions = await this.#options.store.positions();
    await this.#undo(positions.find(({ number }) => number < block)?.number);
    throw new RpcUnavailableError(
      "behind",
      `The RPC endpoint had kept back an event of block ${String(block)}; what came after it is taken in again.`,
    );
  }

  /** The block that a range ends at, of the same chain as its logs. */
  async #endOf(
    through: number,
    head: BlockReference,
    logs: readonly EventLog[],
    asked: Promise<BlockReference | undefined> | undefined,
  ): Promise<BlockReference> {
    const { blockAt } = this.#options;
    const end = through === head.number ? head : await (asked ?? blockAt(through));
    const now = isNew(through, head) ? await blockAt(head.number) : head;
    const last = logs.at(-1);
    const fits = last?.block !== through || last.blockHash === end?.hash;
    if (end && now?.hash === head.hash && fits) return end;
    throw new RpcUnavailableError("behind", "The chain was reorganised while its events were read; look again.");
  }
}

/** Whether a reorganisation may reach a block. */
function isNew(block: number, head: BlockReference): boolean {
  return head.number - block < UNDOABLE;
}

function newestUpTo(positions: readonly BlockReference[], head: BlockReference): number | undefined {
  return positions.find(({ number }) => number <= head.number)?.number;
}

function keyOf({ blockHash, index }: EventLog): string {
  return `${blockHash} ${String(index)}`;
}
