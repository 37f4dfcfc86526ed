import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "./blocks.ts";
import type { BlockFiles } from "./blocks.ts";
import { blockName } from "./cids.ts";
import { collect } from "./dag.ts";
import type { DagSummary, ReadBlock } from "./dag.ts";
import { CheckpointError } from "./errors.ts";
import type { OperationHolds } from "./holds.ts";
import type { NetworkSource } from "./transfer/source.ts";
import type { SharedWork } from "./transfer/shared.ts";

/** Bound of a fetch for which none is given: 1 GiB. */
export const DEFAULT_MAX_BYTES = 1024 ** 3;
const DEFAULT_TIMEOUT_MS = 10 * 60_000;
export const DEFAULT_STALL_TIMEOUT_MS = 30_000;
/** Blocks asked for at a time; measured as the best for bitswap, and 16 MiB on either side. HTTP asks each peer for 8. */
const CONCURRENCY = 16;
const WATCH_INTERVAL_MS = 50;

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
export interface FetchOptions {
  /** Most bytes to take, counted as {@link DagSummary.size}. Default {@link DEFAULT_MAX_BYTES}. */
  maxBytes?: number;
  /** Time for the whole fetch in ms. Default 10 minutes. */
  timeout?: number;
  /** Longest time in ms without the arrival of any block. Default 30 s. */
  stallTimeout?: number;
  /** Ends the fetch; it then throws the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: FetchProgress) => void;
  /** Pins the content under this label before garbage collection could get at it. */
  pin?: string;
}

/** What a fetch works with. */
export interface FetchParts {
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

/** What the work after the download gets: reading, which still repairs, and the signal that bounds it. */
export interface Fetched {
  dag: DagSummary;
  read: ReadBlock;
  signal: AbortSignal;
}

/**
 * Brings all blocks below a root into the store, verified, and then does the `work`. What arrived stays in the store
 * if the fetch ends early, so that the next one goes on from there.
 *
 * @throws {@link CheckpointError} `NOT_FOUND`, `TIMEOUT`, `CORRUPT`, `TOO_LARGE`, `INVALID_DIRECTORY`, `DISK_FULL`…
 */
export async function runFetch<T>(
  root: CID,
  parts: FetchParts,
  options: FetchOptions,
  work: (fetched: Fetched) => Promise<T>,
): Promise<T> {
  const limits = new AbortController();
  const watch = new Watch(root, parts, options);
  const timer = setInterval(() => {
    const reason = watch.check();
    if (reason !== undefined) limits.abort(reason);
  }, WATCH_INTERVAL_MS);
  const signal = AbortSignal.any([
    limits.signal,
    parts.stopped,
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  const bring = async (cid: CID, wasCorrupt: boolean): Promise<number> => {
    watch.begin(cid, wasCorrupt);
    const name = blockName(cid) ?? "";
    const bytes = await parts.shared.run(name, signal, (abandoned) => parts.source.bring(cid, abandoned));
    watch.end(cid);
    return bytes;
  };
  const local = async (cid: CID): Promise<Uint8Array | { wasCorrupt: boolean }> => {
    parts.holds.add(blockName(cid) ?? "");
    try {
      return await parts.blocks.read(cid);
    } catch (error) {
      if (error instanceof BlockNotFoundError) return { wasCorrupt: error.wasCorrupt };
      throw error;
    }
  };
  const leaf = async (cid: CID): Promise<number> => {
    const found = await local(cid);
    return found instanceof Uint8Array ? found.byteLength : bring(cid, found.wasCorrupt);
  };
  const read: ReadBlock = async (cid) => {
    for (;;) {
      signal.throwIfAborted();
      const found = await local(cid);
      if (found instanceof Uint8Array) return found;
      await bring(cid, found.wasCorrupt);
    }
  };
  const progress: FetchProgress = { blocks: 0, bytes: 0, totalBytes: 0 };
  try {
    signal.throwIfAborted();
    const dag = await collect(root, read, {
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      concurrency: CONCURRENCY,
      leaf,
      // whatever else is asked for is of no use then
      onError: (error) => {
        limits.abort(error);
      },
      onBlock: (bytes, totalBytes) => {
        progress.blocks += 1;
        progress.bytes += bytes;
        progress.totalBytes = totalBytes;
        options.onProgress?.({ ...progress });
      },
    });
    return await work({ dag, read, signal });
  } finally {
    clearInterval(timer);
  }
}

/** Knows which blocks are waited for, and when it has been too long. */
class Watch {
  readonly #root: CID;
  readonly #parts: Pick<FetchParts, "peers" | "source">;
  readonly #timeout: number;
  readonly #stallTimeout: number;
  readonly #waiting = new Map<string, { wasCorrupt: boolean }>();
  readonly #began = performance.now();
  #arrived = 0;
  #lastArrival = 0;

  constructor(root: CID, parts: Pick<FetchParts, "peers" | "source">, options: FetchOptions) {
    this.#root = root;
    this.#parts = parts;
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT_MS;
    this.#stallTimeout = options.stallTimeout ?? DEFAULT_STALL_TIMEOUT_MS;
  }

  begin(cid: CID, wasCorrupt: boolean): void {
    if (this.#waiting.size === 0) this.#lastArrival = performance.now();
    this.#waiting.set(cid.toString(), { wasCorrupt });
  }

  end(cid: CID): void {
    this.#waiting.delete(cid.toString());
    this.#arrived += 1;
    this.#lastArrival = performance.now();
  }

  /** @returns the error to end the fetch with, if it is time. */
  check(): CheckpointError | undefined {
    const now = performance.now();
    const [waiting] = this.#waiting;
    const elapsed = now - this.#began;
    const idle = now - this.#lastArrival;
    const isOver = elapsed >= this.#timeout;
    if (waiting !== undefined && (idle >= this.#stallTimeout || (isOver && this.#arrived === 0))) {
      return this.#missing(waiting[0], waiting[1].wasCorrupt, idle);
    }
    if (!isOver) return undefined;
    return new CheckpointError(
      "TIMEOUT",
      `Fetching ${this.#root.toString()} was not done after ${seconds(elapsed)}: fetch it again (what arrived is kept), with a longer time-out or better connected peers`,
    );
  }

  #missing(cid: string, wasCorrupt: boolean, idle: number): CheckpointError {
    const peers = this.#parts.peers();
    const { complaints } = this.#parts.source;
    const asked = [peers.length === 0 ? "no peer is connected" : `asked peers ${peers.join(", ")}`, ...complaints].join(
      "; ",
    );
    const what = cid === this.#root.toString() ? `CID ${cid}` : `Block ${cid} of CID ${this.#root.toString()}`;
    if (wasCorrupt || complaints.length > 0) {
      return new CheckpointError(
        "CORRUPT",
        `${what} was corrupt ${wasCorrupt ? "on disk" : "as it came"} and no peer sent a good copy within ${seconds(idle)} (${asked}): connect to a peer that holds it${wasCorrupt ? ", and check this machine's disk" : ""}`,
      );
    }
    return new CheckpointError(
      "NOT_FOUND",
      `${what} was not found within ${seconds(idle)} (${asked}): connect to a peer that holds it, or use an older checkpoint`,
    );
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
