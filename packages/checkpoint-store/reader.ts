import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "./blocks.ts";
import type { BlockFiles } from "./blocks.ts";
import { blockName } from "./cids.ts";
import type { ReadBlock } from "./dag.ts";
import type { OperationHolds } from "./holds.ts";
import type { SharedWork } from "./transfer/shared.ts";
import type { NetworkSource } from "./transfer/source.ts";
import { Watch } from "./watch.ts";
import type { Patience } from "./watch.ts";

const WATCH_INTERVAL_MS = 50;

/** What reading over the network works with. */
export interface ReaderParts {
  blocks: BlockFiles;
  source: NetworkSource;
  /** Blocks on their way, for whichever fetch. */
  shared: SharedWork;
  holds: OperationHolds;
  /** Aborts when the store stops. */
  stopped: AbortSignal;
  /** Names of the peers that can be asked now, for messages. */
  peers: () => string[];
}

/** Reads blocks from the store; those that are missing or corrupt are brought into it first. */
export interface Reader {
  read: ReadBlock;
  /** Sees to it that a block is here. @returns its bytes */
  bring: (cid: CID) => Promise<number>;
  /** Ends all waiting. */
  end: (reason: unknown) => void;
  signal: AbortSignal;
}

/**
 * Does some work with a {@link Reader} whose patience is bounded.
 *
 * @param root - what is read, for messages
 * @throws CheckpointError `NOT_FOUND`, `TIMEOUT`, `CORRUPT`…; the reason of the signal; what `work` throws
 */
export async function withReader<T>(
  root: CID,
  parts: ReaderParts,
  patience: Patience,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  const limits = new AbortController();
  const watch = new Watch(root, parts, patience);
  const timer = setInterval(() => {
    const reason = watch.check();
    if (reason !== undefined) limits.abort(reason);
  }, WATCH_INTERVAL_MS);
  const { signal: asked } = patience;
  const signal = AbortSignal.any([limits.signal, parts.stopped, ...(asked === undefined ? [] : [asked])]);

  const local = async (cid: CID): Promise<Uint8Array | { wasCorrupt: boolean }> => {
    parts.holds.add(blockName(cid) ?? "");
    try {
      return await parts.blocks.read(cid);
    } catch (error) {
      if (error instanceof BlockNotFoundError) return { wasCorrupt: error.wasCorrupt };
      throw error;
    }
  };
  const wait = async (cid: CID, wasCorrupt: boolean): Promise<number> => {
    watch.begin(cid, wasCorrupt);
    const name = blockName(cid) ?? "";
    const bytes = await parts.shared.run(name, signal, (abandoned) => parts.source.bring(cid, abandoned));
    watch.end(cid);
    return bytes;
  };
  const bring = async (cid: CID): Promise<number> => {
    const found = await local(cid);
    return found instanceof Uint8Array ? found.byteLength : wait(cid, found.wasCorrupt);
  };
  const read: ReadBlock = async (cid) => {
    for (;;) {
      signal.throwIfAborted();
      const found = await local(cid);
      if (found instanceof Uint8Array) return found;
      await wait(cid, found.wasCorrupt);
    }
  };
  const end = (reason: unknown): void => {
    limits.abort(reason);
  };
  try {
    signal.throwIfAborted();
    return await work({ read, bring, end, signal });
  } finally {
    clearInterval(timer);
  }
}
