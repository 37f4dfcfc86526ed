import type { CID } from "multiformats/cid";

import { collect } from "./dag.ts";
import type { DagSummary, ReadBlock } from "./dag.ts";
import type { Decoder } from "./export.ts";
import { withReader } from "./reader.ts";
import type { ReaderContext } from "./reader.ts";
import type { TimeOuts } from "./stall-timer.ts";

/** Bound of a fetch for which none is given: 1 GiB. */
const DEFAULT_MAX_BYTES = 1024 ** 3;
/** Blocks asked for at a time; measured as the best for bitswap, and 16 MiB on either side. HTTP asks each peer for 8. */
const CONCURRENCY = 16;

/** How far a fetch is. */
export interface FetchProgress {
  /** Distinct blocks verified. */
  blocks: number;
  /** Their bytes. */
  bytes: number;
  /** What the root claims for the whole; with blocks that occur several times, more than `bytes` gets to. */
  totalBytes: number;
}

/** What bounds a fetch. */
export interface FetchOptions extends TimeOuts {
  /** Maximum bytes to take, counted as {@link DagSummary.size}. Default {@link DEFAULT_MAX_BYTES}. */
  maxBytes?: number;
  onProgress?: (progress: FetchProgress) => void;
  /** Pins the content under this label before garbage collection could get at it; it is durable then. */
  pin?: string;
  /** Makes of what is stored what is written, where it is written to a path; by default it is written as it is. */
  decoder?: Decoder;
}

/** Work beside the download, such as writing files: gets reading, which waits for what is still to come, and the signal that bounds it. */
export type Beside = (read: ReadBlock, signal: AbortSignal, maxBytes: number) => Promise<void>;

/**
 * Brings all blocks below a root into the store, verified, and does some work with them as they come. What arrived stays in the
 * store if the fetch ends early, so that the next one goes on from there.
 *
 * @throws CheckpointError `NOT_FOUND`, `TIMEOUT`, `CORRUPT`, `TOO_LARGE`, `INVALID_DIRECTORY`, `STORE_FULL`, `DISK_FULL`…; what
 * the work beside throws
 */
export async function runFetch(
  root: CID,
  context: ReaderContext,
  options: FetchOptions,
  beside?: Beside,
): Promise<DagSummary> {
  return withReader(root, context, options, async ({ read, bring, follow, end, signal }) => {
    const progress: FetchProgress = { blocks: 0, bytes: 0, totalBytes: 0 };
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const failure: { error?: unknown } = {};
    // Whatever else is asked for is of no use then.
    const fail = (error: unknown): void => {
      if (!("error" in failure)) failure.error = error;
      end(error);
    };
    let besideIt: Promise<void> | undefined;
    const begin = (): Promise<void> | undefined => {
      const following = beside && follow();
      return following && beside(following.read, signal, maxBytes).catch(fail).finally(following.end);
    };
    try {
      const dag = await collect(root, read, {
        maxBytes,
        concurrency: CONCURRENCY,
        leaf: bring,
        onError: fail,
        onBlock: (bytes, totalBytes) => {
          // Once the root is here, and claims no more than may be.
          besideIt ??= begin();
          progress.blocks += 1;
          progress.bytes += bytes;
          progress.totalBytes = totalBytes;
          options.onProgress?.({ ...progress });
        },
      });
      await besideIt;
      if ("error" in failure) throw failure.error;
      return dag;
    } catch (error) {
      fail(error);
      await besideIt;
      throw failure.error;
    }
  });
}
