import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "./blocks.ts";
import type { BlockFiles } from "./blocks.ts";
import { blockName } from "./cids.ts";
import type { ReadBlock } from "./dag.ts";
import { Handover } from "./handover.ts";
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
  /** {@link read} for one who writes out what is brought meanwhile: it is brought no faster than that, and not read again. */
  follow: () => Following;
  /** Ends all waiting. */
  end: (reason: unknown) => void;
  signal: AbortSignal;
}

/** Reading beside what is brought, until its end. */
export interface Following {
  readonly read: ReadBlock;
  readonly end: () => void;
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
  let handover: Handover | undefined;
  const bring = async (cid: CID): Promise<number> => {
    const name = blockName(cid) ?? "";
    await handover?.expect(name, signal);
    try {
      const found = await local(cid);
      if (!(found instanceof Uint8Array)) return await wait(cid, found.wasCorrupt);
      handover?.offer(name, found, true);
      return found.byteLength;
    } finally {
      handover?.pass(name);
    }
  };
  const read: ReadBlock = async (cid) => {
    for (;;) {
      signal.throwIfAborted();
      const found = await local(cid);
      if (found instanceof Uint8Array) return found;
      await wait(cid, found.wasCorrupt);
    }
  };
  const follow = (): Following => {
    const mine = (handover = new Handover());
    const untap = context.blocks.tap((name, bytes) => {
      mine.offer(name, bytes);
    });
    const readNext: ReadBlock = async (cid) => {
      const name = blockName(cid) ?? "";
      for (;;) {
        signal.throwIfAborted();
        if (mine.isExpected(name)) await mine.arrival(name);
        const held = mine.take(name);
        if (held !== undefined) return held;
        const found = await local(cid);
        if (found instanceof Uint8Array) {
          mine.had(name);
          return found;
        }
        // It may have begun to come meanwhile.
        if (!mine.isExpected(name)) await mine.arrival(name, wait(cid, found.wasCorrupt));
      }
    };
    const stop = (): void => {
      untap();
      mine.end();
    };
    return { read: readNext, end: stop };
  };
  const end = (reason: unknown): void => {
    limits.abort(reason);
  };
  try {
    signal.throwIfAborted();
    return await work({ read, bring, follow, end, signal });
  } finally {
    clearInterval(timer);
  }
}
