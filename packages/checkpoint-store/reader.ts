import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "./blocks.ts";
import type { BlockFiles } from "./blocks.ts";
import { blockName } from "./cids.ts";
import type { ReadBlock } from "./dag.ts";
import type { OperationReferences } from "./references.ts";
import type { SharedWork } from "./transfer/shared.ts";
import type { NetworkSource } from "./transfer/source.ts";
import { StallTimer } from "./stall-timer.ts";
import type { TimeOuts } from "./stall-timer.ts";

const WATCH_INTERVAL_MS = 50;

/** What reading over the network works with. */
export interface ReaderContext {
  blocks: BlockFiles;
  source: NetworkSource;
  /** Blocks on their way, for whichever fetch. */
  shared: SharedWork;
  references: OperationReferences;
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
 * Does some work with a {@link Reader} that waits for a bounded time.
 *
 * @param root - what is read, for messages
 * @throws CheckpointError `NOT_FOUND`, `TIMEOUT`, `CORRUPT`…; the reason of the signal; what `work` throws
 */
export async function withReader<T>(
  root: CID,
  context: ReaderContext,
  timeOuts: TimeOuts,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  const limits = new AbortController();
  const stallTimer = new StallTimer(root, context, timeOuts);
  const timer = setInterval(() => {
    const reason = stallTimer.check();
    if (reason !== undefined) limits.abort(reason);
  }, WATCH_INTERVAL_MS);
  const { signal: asked } = timeOuts;
  const signal = AbortSignal.any([limits.signal, context.stopped, ...(asked === undefined ? [] : [asked])]);

  const local = async (cid: CID): Promise<Uint8Array | { wasCorrupt: boolean }> => {
    context.references.add(blockName(cid) ?? "");
    try {
      return await context.blocks.read(cid);
    } catch (error) {
      if (error instanceof BlockNotFoundError) return { wasCorrupt: error.wasCorrupt };
      throw error;
    }
  };
  const wait = async (cid: CID, wasCorrupt: boolean): Promise<number> => {
    stallTimer.begin(cid, wasCorrupt);
    const name = blockName(cid) ?? "";
    const bytes = await context.shared.run(name, signal, (abandoned) => context.source.bring(cid, abandoned));
    stallTimer.end(cid);
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
