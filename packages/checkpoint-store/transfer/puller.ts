import { setTimeout as sleep } from "node:timers/promises";

import type { CID } from "multiformats/cid";

import type { BlockFiles } from "../blocks.ts";
import { DialPolicy } from "../dial-policy.ts";
import { CheckpointError } from "../errors.ts";
import type { Log } from "../log.ts";
import { formatHttpAddress } from "./addresses.ts";
import { authorization } from "../access/grants.ts";
import type { Standing } from "../access/tickets.ts";
import { orAborted } from "../signals.ts";
import type { HttpAddress } from "./addresses.ts";
import type { RequestLimits } from "./connection.ts";
import { HttpPeer } from "./peer.ts";
import type { PeerAnswer } from "./peer.ts";

/** Peers asked at a time for a block of which no holder is known: one more for each that did not have it. */
const MAX_WIDTH = 32;
/** Named peers that are asked at the same time for a block of which no holder is known: each may send it. */
const NAMED_WIDTH = 8;
/** Peers asked for a block in one round: the nearest come first, and another round follows. */
const MAX_ASKED = 512;
/** A peer that does not answer at all is not waited for alone: after so long the next is also asked. */
const HEDGE_MS = 150;
/** The same once it is known who holds the content. */
const KNOWN_HEDGE_MS = 1_000;
const IDLE_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Why attempts end that are of no use any longer: made once, as making one for each block shows in the processor's time. */
const OVER = new Error("the block has come, or nobody waits for it");
/** Refusals of peers that an error message repeats. */
const MAX_REFUSALS = 8;

/** Pulls blocks from peers over HTTP: who they are, and what is known of each. */
export class HttpPuller {
  readonly blocks: BlockFiles;
  readonly log: Log;
  #peers = new Map<string, HttpPeer>();
  #change = Promise.withResolvers<undefined>();

  readonly #dialling: DialPolicy;

  constructor(blocks: BlockFiles, log: Log, dialling = new DialPolicy("any")) {
    this.blocks = blocks;
    this.log = log;
    this.#dialling = dialling;
  }

  /** Replaces the set of peers; what is known of those that stay is kept. */
  set(addresses: readonly HttpAddress[]): void {
    const peers = new Map<string, HttpPeer>();
    for (const address of addresses) {
      const name = formatHttpAddress(address);
      peers.set(name, owned(this.#peers.get(name), address) ?? this.#peer(name, address));
    }
    for (const [name, peer] of this.#peers) if (!peers.has(name)) peer.close();
    this.#peers = peers;
    this.changed();
  }

  /** The peers of the set. */
  get peers(): readonly HttpPeer[] {
    return [...this.#peers.values()];
  }

  /** Peers at these addresses: those of the set, and others, which are the caller's to close. */
  at(addresses: readonly HttpAddress[]): { peers: HttpPeer[]; close: () => void } {
    const own: HttpPeer[] = [];
    const peers = addresses.map((address) => {
      const name = formatHttpAddress(address);
      const known = owned(this.#peers.get(name), address);
      if (known !== undefined) return known;
      const peer = this.#peer(name, address);
      own.push(peer);
      return peer;
    });
    const close = (): void => {
      for (const peer of own) if (this.#peers.get(peer.name) !== peer) peer.close();
    };
    return { peers: [...new Set(peers)], close };
  }

  #peer(name: string, address: HttpAddress): HttpPeer {
    return new HttpPeer(name, address, this.#dialling.lookup, address.owner);
  }

  /** Ends all connections. */
  close(): void {
    for (const peer of this.#peers.values()) peer.close();
  }

  /** Wakes those that wait for a peer. */
  changed(): void {
    this.#change.resolve(undefined);
    this.#change = Promise.withResolvers<undefined>();
  }

  /** Resolves when a peer may have become free. */
  get change(): Promise<undefined> {
    return this.#change.promise;
  }
}

/** A known peer, with whom it is said to belong to now. */
function owned(peer: HttpPeer | undefined, { owner }: HttpAddress): HttpPeer | undefined {
  if (peer !== undefined && owner !== undefined) peer.owner = owner;
  return peer;
}

/** How a fetch shows that it may have what it asks for. */
export interface Credentials {
  /** How it stands with a peer. Never throws. */
  at(peer: string | readonly string[]): Promise<Standing>;
  /** Forgets what a peer has granted: it no longer knows of it. */
  forget(peer: string | readonly string[]): void;
}

interface Attempt {
  ended: Promise<void>;
  heard: boolean;
}

/** One fetch's asking: it learns which peers hold its content. */
export class Asking {
  readonly #puller: HttpPuller;
  readonly #idleTimeout: number;
  readonly #score = new Map<HttpPeer, number>();
  readonly #named: ReadonlySet<HttpPeer>;
  readonly #credentials: Credentials | undefined;
  readonly #refusals = new Set<string>();
  /** Peers that sent wrong bytes, in words. */
  readonly complaints: string[] = [];

  /**
   * @param stallTimeout - longest time in ms that the fetch can wait for a block: no peer gets all of it
   * @param named - peers that should have it: asked first, and together
   * @param credentials - left out: blocks are asked for without
   */
  constructor(puller: HttpPuller, stallTimeout: number, named: readonly HttpPeer[] = [], credentials?: Credentials) {
    this.#puller = puller;
    this.#credentials = credentials;
    this.#named = new Set(named);
    this.#idleTimeout = Math.max(100, Math.min(IDLE_TIMEOUT_MS, stallTimeout / 3));
  }

  /** What peers said that grant nothing. */
  get refusals(): string[] {
    return [...this.#refusals];
  }

  /** Names of the peers that can be asked. */
  get peers(): string[] {
    return this.#all().map(({ name }) => name);
  }

  #all(): HttpPeer[] {
    return [...new Set([...this.#named, ...this.#puller.peers])];
  }

  /**
   * Gets a block from one of the peers and stores it. Each is asked once.
   *
   * @returns its bytes, or undefined if none of those that can be asked now has it.
   * @throws {@link CheckpointError} if it can't be stored; the signal's reason
   */
  async bring(cid: CID, signal: AbortSignal): Promise<number | undefined> {
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const tried = new Set<HttpPeer>();
    const running = new Set<Attempt>();
    let bytes: number | undefined;
    const failure: { error?: unknown } = {};
    const begin = (peer: HttpPeer): void => {
      tried.add(peer);
      const attempt: Attempt = { heard: false, ended: Promise.resolve() };
      attempt.ended = this.#attempt(peer, cid, either, attempt)
        .then((answer) => {
          if (answer?.kind === "busy") tried.delete(peer);
          if (answer?.kind !== "stored") return;
          bytes = answer.bytes;
          done.abort(OVER);
        })
        .catch((error: unknown) => {
          if (!done.signal.aborted) failure.error ??= error;
        })
        .finally(() => running.delete(attempt));
      running.add(attempt);
    };
    try {
      while (bytes === undefined) {
        signal.throwIfAborted();
        if ("error" in failure) throw failure.error;
        const next = this.#choose(tried);
        if (next === undefined && running.size === 0) return undefined;
        const ends = [...running].map(({ ended }) => ended);
        if (next === "full") await Promise.race([...ends, this.#puller.change, sleep(HEDGE_MS)]);
        else if (next === undefined) await Promise.race(ends);
        else {
          begin(next);
          const isKnown = [...this.#score.values()].some((score) => score > 0);
          if (!isKnown && running.size < NAMED_WIDTH && [...this.#named].some((peer) => !tried.has(peer))) continue;
          // The more have missed it, the more are asked at once: among hundreds of peers the one holder is found in a second.
          const misses = tried.size - running.size;
          if (running.size > Math.min(misses, MAX_WIDTH)) await this.#untilQuiet(running);
        }
      }
      return bytes;
    } finally {
      done.abort(OVER);
      await Promise.all([...running].map(({ ended }) => ended));
    }
  }

  /** Waits until an attempt ends, or nothing was heard for a while. */
  async #untilQuiet(running: ReadonlySet<Attempt>): Promise<void> {
    const ended = Promise.race([...running].map((attempt) => attempt.ended));
    const isKnown = [...this.#score.values()].some((score) => score > 0);
    const timer = new AbortController();
    const quiet = sleep(isKnown ? KNOWN_HEDGE_MS : HEDGE_MS, undefined, { signal: timer.signal });
    await Promise.race([ended, quiet]);
    timer.abort();
    quiet.catch(() => undefined);
    if ([...running].some(({ heard }) => heard)) await ended;
  }

  async #attempt(peer: HttpPeer, cid: CID, signal: AbortSignal, attempt: Attempt): Promise<PeerAnswer | undefined> {
    const limits = {
      idleTimeout: this.#idleTimeout,
      timeout: REQUEST_TIMEOUT_MS,
      signal,
      onHeard: () => {
        attempt.heard = true;
      },
    };
    try {
      const answer = await this.#get(peer, cid, limits);
      if (answer.kind === "busy") return answer;
      const score = Math.max(0, this.#score.get(peer) ?? 0);
      this.#score.set(peer, answer.kind === "stored" ? score + 1 : score - 1);
      return answer;
    } catch (error) {
      if (signal.aborted || (error instanceof CheckpointError && error.code !== "CORRUPT")) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#score.set(peer, -1);
      if (error instanceof CheckpointError) {
        this.complaints.push(`${peer.name} sent wrong bytes`);
        this.#puller.log.warn(
          { peer: peer.name, cid: cid.toString() },
          "A peer sent wrong bytes; not asked for a while",
        );
      } else {
        this.#puller.log.debug({ peer: peer.name, cid: cid.toString(), reason }, "A peer failed to send a block");
      }
      return undefined;
    } finally {
      this.#puller.changed();
    }
  }

  /** Asks a peer for a block, with what shows that it was granted. */
  async #get(peer: HttpPeer, cid: CID, limits: RequestLimits): Promise<PeerAnswer> {
    const write = (bytes: Uint8Array): Promise<void> => this.#puller.blocks.write(cid, bytes);
    const { owner } = peer;
    if (this.#credentials === undefined || owner.length === 0) return peer.get(cid, limits, write);
    for (let isFirst = true; ; isFirst = false) {
      const standing = await orAborted(this.#credentials.at(owner), limits.signal);
      if (standing.kind === "refused") {
        if (this.#refusals.size < MAX_REFUSALS) this.#refusals.add(`${peer.name}: ${standing.why}`);
        return { kind: "missing" };
      }
      if (standing.kind === "open") return peer.get(cid, limits, write);
      const answer = await peer.get(cid, limits, write, authorization(standing.ticket, cid));
      if (answer.kind !== "not granted" || !isFirst) return answer;
      // It was started again, or has many others to remember.
      this.#credentials.forget(owner);
    }
  }

  /**
   * The peer to ask next: one known to hold the content before one that may, and that before one that missed a block;
   * among equals the least busy. "full" if it is better to wait for a peer than to ask one that missed a block.
   */
  #choose(tried: ReadonlySet<HttpPeer>): HttpPeer | "full" | undefined {
    // One that is named comes after one that has shown that it holds the content, and before all others.
    const rank = (peer: HttpPeer): number => -Math.sign(this.#score.get(peer) ?? (this.#named.has(peer) ? 0.5 : 0));
    if (tried.size >= MAX_ASKED) return undefined;
    const open = this.#all()
      .filter((peer) => (peer.isUsable || peer.isBusy) && !tried.has(peer))
      .sort((a, b) => rank(a) - rank(b) || a.load - b.load);
    const free = open.find(({ load, isBusy }) => load < 1 && !isBusy);
    const [best] = open;
    if (best === undefined) return undefined;
    if (free === undefined || (rank(free) > 0 && rank(best) <= 0)) return "full";
    return free;
  }
}
