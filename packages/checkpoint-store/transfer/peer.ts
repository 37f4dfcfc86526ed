import type { LookupFunction } from "node:net";

import type { CID } from "multiformats/cid";

import { CheckpointError } from "../errors.ts";
import type { HttpAddress } from "./addresses.ts";
import { BlockConnection, StalledPeerError } from "./connection.ts";
import type { RequestLimits } from "./connection.ts";

const FIRST_WINDOW = 4;
/** Requests to one peer at a time: some on the way while others are hashed and written. */
const LARGEST_WINDOW = 8;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const BUSY_PAUSE_MS = 250;
/** For a peer that sent wrong bytes. */
const DISTRUST_MS = 60_000;
/** The other side closes a connection after 30 s. */
const KEEP_IDLE_MS = 10_000;

/** What became of a request for a block: its bytes are stored, or the peer has no such block, grants it not, or has no time. */
export type PeerAnswer =
  | { kind: "stored"; bytes: number }
  | { kind: "missing" }
  | { kind: "not granted" }
  | { kind: "busy" };

/**
 * A peer that serves blocks over HTTP: its connections, how many requests it is sent at a time (one more for every few
 * answers, half as many after trouble), and for how long it is left alone after it failed.
 */
export class HttpPeer {
  /** Its multiaddr. */
  readonly name: string;
  /** Multiaddrs of libp2p of the node that it belongs to: there access is asked for. Empty where that is not known. */
  owner: readonly string[];
  readonly #address: HttpAddress;
  readonly #idle: BlockConnection[] = [];
  readonly #open = new Set<BlockConnection>();
  #idleTimer: NodeJS.Timeout | undefined;
  #window = FIRST_WINDOW;
  #running = 0;
  #failures = 0;
  #notBefore = 0;
  #isBusy = false;

  readonly #lookup: LookupFunction | undefined;

  /** @param lookup - resolves names; refuses those that may not be dialled */
  constructor(name: string, address: HttpAddress, lookup?: LookupFunction, owner: readonly string[] = []) {
    this.name = name;
    this.owner = owner;
    this.#address = address;
    this.#lookup = lookup;
  }

  /** Whether it may be asked now. */
  get isUsable(): boolean {
    return performance.now() >= this.#notBefore;
  }

  /** Whether it only asked to be asked again later. */
  get isBusy(): boolean {
    return this.#isBusy && !this.isUsable;
  }

  /** Requests under way as a share of what it is sent at a time; 1 is full. */
  get load(): number {
    return this.#running / Math.floor(this.#window);
  }

  /**
   * Asks for a block and stores it.
   *
   * @param store - verifies and stores the bytes, which are valid until it has returned
   * @param authorization - what shows that this was granted
   * @throws what `store` throws, what {@link BlockConnection.get} throws, the signal's reason. A peer at fault is left
   * alone for a while.
   */
  async get(
    cid: CID,
    limits: RequestLimits,
    store: (bytes: Uint8Array) => Promise<void>,
    authorization?: string,
  ): Promise<PeerAnswer> {
    this.#running += 1;
    try {
      return await this.#get(cid, limits, store, authorization);
    } catch (error) {
      limits.signal.throwIfAborted();
      if (!(error instanceof CheckpointError)) this.#failed(error instanceof StalledPeerError);
      else if (error.code === "CORRUPT") this.#leaveAlone(DISTRUST_MS);
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  /** Ends all connections. */
  close(): void {
    clearTimeout(this.#idleTimer);
    for (const connection of this.#open) connection.destroy();
    this.#open.clear();
    this.#idle.length = 0;
  }

  async #get(
    cid: CID,
    limits: RequestLimits,
    store: (bytes: Uint8Array) => Promise<void>,
    authorization: string | undefined,
  ): Promise<PeerAnswer> {
    for (;;) {
      const connection = this.#connection();
      const isReused = connection.answers > 0;
      try {
        const { status, body } = await connection.get(`/ipfs/${cid.toString()}?format=raw`, limits, authorization);
        limits.signal.throwIfAborted();
        if (status === 200) await store(body);
        const answer = this.#judge(status, body.byteLength);
        if (connection.isOpen) this.#rest(connection);
        return answer;
      } catch (error) {
        connection.destroy();
        // the peer may have closed it for having been idle
        const isOld = isReused && !(error instanceof CheckpointError) && !(error instanceof StalledPeerError);
        if (!isOld || limits.signal.aborted) throw error;
      } finally {
        if (!connection.isOpen) this.#open.delete(connection);
      }
    }
  }

  #judge(status: number, bytes: number): PeerAnswer {
    if (status === 429 || status === 503) {
      this.#window = Math.max(1, this.#window / 2);
      this.#leaveAlone(BUSY_PAUSE_MS * (1 + Math.random()), true);
      return { kind: "busy" };
    }
    if (status >= 500) throw new Error(`it answered with status ${status}`);
    this.#failures = 0;
    if (status === 401) return { kind: "not granted" };
    if (status !== 200) return { kind: "missing" };
    this.#window = Math.min(LARGEST_WINDOW, this.#window + 0.25);
    return { kind: "stored", bytes };
  }

  #failed(stalled: boolean): void {
    // a slow line also looks like a stall if too much is asked for at once
    this.#window = Math.max(1, this.#window / 2);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#leaveAlone(stalled ? Math.max(pause, 2 * FIRST_PAUSE_MS) : pause);
  }

  #leaveAlone(milliseconds: number, isBusy = false): void {
    this.#notBefore = Math.max(this.#notBefore, performance.now() + milliseconds);
    this.#isBusy = isBusy;
  }

  #connection(): BlockConnection {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.isOpen) return idle;
    const connection = new BlockConnection(this.#address, this.#lookup);
    this.#open.add(connection);
    return connection;
  }

  #rest(connection: BlockConnection): void {
    this.#idle.push(connection);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      for (const each of this.#idle.splice(0)) {
        each.destroy();
        this.#open.delete(each);
      }
    }, KEEP_IDLE_MS).unref();
  }
}
