import type { CID } from "multiformats/cid";

import { CheckpointError } from "./errors.ts";
import type { Json } from "./messages/frames.ts";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
/** Longest time in ms without the arrival of any block, if none is given. */
export const DEFAULT_STALL_TIMEOUT_MS = 30_000;

/** What bounds the waiting for blocks. */
export interface TimeOuts {
  /** Time for the whole in ms. Default 10 minutes. */
  timeout?: number;
  /** Longest time in ms without the arrival of any block. Default 30 s. */
  stallTimeout?: number;
  /** Ends the waiting; what waits then throws the signal's reason. */
  signal?: AbortSignal;
  /** Multiaddrs of those who should have it: asked before all other peers, and all at once. At most {@link MAX_NAMED} count. */
  from?: readonly string[];
  /** About the reason for which this is wanted; goes with the proof to those who are asked. */
  hint?: Json;
}

/** Addresses that a fetch may name. */
export const MAX_NAMED = 128;

/** Who is asked for blocks, for messages. */
export interface Asked {
  /** Names of the peers. */
  peers: () => string[];
  /** What they did wrong, in words. */
  source: { readonly complaints: readonly string[]; readonly refusals?: readonly string[] };
}

/** Knows which blocks are waited for, and when it has been too long. */
export class StallTimer {
  readonly #root: CID;
  readonly #parts: Asked;
  readonly #timeout: number;
  readonly #stallTimeout: number;
  readonly #waiting = new Map<string, { wasCorrupt: boolean }>();
  readonly #began = performance.now();
  #arrived = 0;
  #lastArrival = 0;

  constructor(root: CID, parts: Asked, options: TimeOuts) {
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
    const { complaints, refusals = [] } = this.#parts.source;
    const names = peers.length === 0 ? "no peer is connected" : `asked peers ${peers.join(", ")}`;
    const asked = [names, ...complaints, ...refusals].join("; ");
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
