import type { BlockReference } from "@verai/client/block-reference";
import { ChainFollower } from "@verai/client/chain-follower";
import type { LogSource } from "@verai/client/event-logs";
import type { OpenDatabase } from "./database/open.ts";
import { EVENTS } from "./history/apply.ts";
import { BlockTimes } from "./history/block-times.ts";
import { EventDecoder } from "./history/events.ts";
import { HistoryStore, type Written } from "./history/store.ts";

/** The part of a provider that is used here. */
export interface Chain extends LogSource {
  readonly chainId: number;
  /** A block of the chain; undefined if it has none of that number. */
  readonly blockAt: (number: number | "latest") => Promise<BlockReference | undefined>;
}

/** How the indexer stands. */
export interface Standing {
  /** The chain's newest block at the last look; undefined before the first. */
  readonly head: BlockReference | undefined;
  /** Block up to which history is complete; undefined before the first. */
  readonly position: BlockReference | undefined;
  /** Whether the last look brought history to the head. */
  readonly atHead: boolean;
}

/** What an indexer works with. */
export interface IndexerOptions {
  readonly chain: Chain;
  readonly database: OpenDatabase;
  /** Addresses of the contracts whose events are followed. */
  readonly addresses: readonly string[];
  /** First block with an event. */
  readonly first: number;
  /** Told of every stretch that was written. */
  readonly onWritten?: (written: Written) => void;
  /** Told that blocks after this one were undone. */
  readonly onUndone?: (after: number | undefined) => void;
}

/** Follows the contracts' events into the database. */
export class Indexer {
  readonly #chain: Chain;
  readonly #follower: ChainFollower;
  #standing: Standing = { head: undefined, position: undefined, atHead: false };

  constructor({ chain, database, addresses, first, onWritten, onUndone }: IndexerOptions) {
    const decoder = new EventDecoder(EVENTS);
    const blockAt = (number: number) => chain.blockAt(number);
    this.#chain = chain;
    const store = new HistoryStore({
      db: database.writer,
      decoder,
      times: new BlockTimes(chain.chainId, blockAt),
      onWritten: (written) => {
        this.#standing = { ...this.#standing, position: written.position };
        onWritten?.(written);
      },
      ...(onUndone && { onUndone }),
    });
    this.#follower = new ChainFollower({
      source: chain,
      filter: { address: addresses, topics: [decoder.topics] },
      blockAt,
      store,
      first,
    });
  }

  /** How it stands. */
  get standing(): Standing {
    return this.#standing;
  }

  /** Takes in everything up to the chain's newest block. Not to be called while it runs. */
  async look(signal?: AbortSignal): Promise<Standing> {
    try {
      const head = await this.#chain.blockAt("latest");
      if (!head) throw new RangeError("The RPC endpoint has no newest block.");
      this.#standing = { ...this.#standing, head };
      const { position } = await this.#follower.follow(head, signal);
      this.#standing = { head, position, atHead: position?.number === head.number };
    } catch (error) {
      this.#standing = { ...this.#standing, atHead: false };
      throw error;
    }
    return this.#standing;
  }
}
