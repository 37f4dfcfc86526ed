import type { Libp2p, PeerId } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { peerIdFromString } from "@libp2p/peer-id";

import { DialPolicy } from "./dial-policy.ts";
import type { Log } from "./log.ts";

const DIAL_TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const CHECK_INTERVAL_MS = 250;
/** Looks that are left out after one that found nobody to be dialled: an idle machine is not to be woken for it. */
const RESTS = 3;
const PARALLEL_DIALS = 16;
/** Peers, the first of those set, that are always connected to. */
export const FIRST_NEIGHBOURS = 32;
/** Peers connected to in all; the rest are chosen at random among those set. */
export const MAX_NEIGHBOURS = 48;
/** Addresses of one peer that are tried, and characters of each; an endpoint on chain has 256 bytes in all. */
const MAX_ADDRESSES = 8;
const MAX_ADDRESS_LENGTH = 512;

/** An address that can't be used, and why. */
export interface RejectedAddress {
  address: string;
  reason: string;
}

/** How it stands with a peer that one wants to be connected to. */
export interface PeerStatus {
  id: string;
  addresses: string[];
  connected: boolean;
  /** Dials that failed since the last connection. */
  failures: number;
  /** What the last failed dial said. */
  lastError?: string;
}

interface Peer {
  id: PeerId;
  addresses: Multiaddr[];
  failures: number;
  dialling: boolean;
  /** When it may be dialled again, by `performance.now()`. */
  notBefore: number;
  lastError?: string;
  /** Place among those that are not always connected to; random, and the same as long as the peer is known. */
  draw: number;
}

/**
 * Keeps connected to some of a set of peers: to the first {@link FIRST_NEIGHBOURS} that were set, and to others at random, up to
 * {@link MAX_NEIGHBOURS} in all, so that connections do not grow with the network. A random one that does not answer gives its
 * place to another. It looks again and again at who is connected rather than acting on events, so
 * that nothing that happens between can be missed; a peer that does not answer is dialled at pauses from 0.5 s,
 * doubling up to 30 s.
 */
export class PeerKeeper {
  readonly #libp2p: Libp2p;
  readonly #log: Log;
  readonly #dialling: DialPolicy;
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  #peers = new Map<string, Peer>();
  #rejected = new Set<string>();
  #rests = 0;

  constructor(libp2p: Libp2p, log: Log, dialling = new DialPolicy("any")) {
    this.#libp2p = libp2p;
    this.#log = log;
    this.#dialling = dialling;
    this.#timer = setInterval(() => {
      if (this.#rests > 0) this.#rests -= 1;
      else this.#check();
    }, CHECK_INTERVAL_MS);
    // Only sooner: what it does follows from what it sees.
    const { signal } = this.#stopped;
    libp2p.addEventListener("connection:close", () => (this.#rests = 0), { signal });
  }

  /**
   * Replaces the set of peers, the most important first. Several addresses of one peer are tried together; the store's own are
   * passed over. Connections to peers no longer named stay until they end by themselves.
   *
   * @param addresses - multiaddrs that end with the peer id, `/ip4/…/tcp/…/p2p/12D3Koo…`
   * @returns those that can't be used. None of them throws.
   */
  set(addresses: readonly string[]): RejectedAddress[] {
    const peers = new Map<string, Peer>();
    const rejected: RejectedAddress[] = [];
    for (const address of addresses) {
      try {
        const { id, parsed } = parseAddress(address);
        const refusal = this.#dialling.refusalOf(parsed);
        if (refusal !== undefined) throw new TypeError(refusal);
        const key = id.toString();
        if (id.equals(this.#libp2p.peerId)) continue;
        const known = this.#peers.get(key);
        const peer = peers.get(key) ?? {
          ...(known ?? { id, failures: 0, dialling: false, notBefore: 0, draw: Math.random() }),
          addresses: [],
        };
        const isNew = peer.addresses.length < MAX_ADDRESSES && !peer.addresses.some((other) => other.equals(parsed));
        if (isNew) peer.addresses.push(parsed);
        peers.set(key, peer);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        rejected.push({ address, reason });
      }
    }
    for (const [key, peer] of peers) {
      const known = this.#peers.get(key);
      // a peer that has moved need not wait until the old address is due
      if (known !== undefined && !sameAddresses(known.addresses, peer.addresses)) peer.notBefore = 0;
    }
    this.#peers = peers;
    this.#tellRejected(rejected);
    this.#check();
    return rejected;
  }

  /** Connects once to peers that are not of the set, for as long as the connections last. Does not wait, and never throws. */
  meet(addresses: readonly string[]): void {
    for (const address of addresses) {
      try {
        const { id, parsed } = parseAddress(address);
        if (id.equals(this.#libp2p.peerId) || this.#dialling.refusalOf(parsed) !== undefined) continue;
        if (this.#libp2p.getConnections(id).some(({ status }) => status === "open")) continue;
        const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
        this.#libp2p.dial(parsed, { signal }).catch(() => undefined);
      } catch {
        // Not a usable address: others are asked.
      }
    }
  }

  /** Whether connections with a peer are to be kept. */
  isWanted(peer: string): boolean {
    return this.#peers.has(peer);
  }

  /** How it stands with each peer of the set. */
  status(): PeerStatus[] {
    return [...this.#peers.values()].map((peer) => ({
      id: peer.id.toString(),
      addresses: peer.addresses.map((address) => address.toString()),
      connected: this.#isConnected(peer),
      failures: peer.failures,
      ...(peer.lastError === undefined ? {} : { lastError: peer.lastError }),
    }));
  }

  /** The addresses that were set for a peer id; undefined if it isn't one of the set. */
  addressesOf(peer: string | readonly string[]): string[] | undefined {
    const known = typeof peer === "string" ? this.#peers.get(peer) : undefined;
    return known?.addresses.map((address) => address.toString());
  }

  /** Dials no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  /** Each unusable address is logged once, not at each look at the chain. */
  #tellRejected(rejected: readonly RejectedAddress[]): void {
    for (const { address, reason } of rejected) {
      if (this.#rejected.has(address)) continue;
      this.#log.warn({ address, reason }, "Not a usable peer address; its node must register another");
    }
    this.#rejected = new Set(rejected.map(({ address }) => address));
  }

  #check(): void {
    if (this.#stopped.signal.aborted || this.#peers.size === 0) return;
    const now = performance.now();
    const connected = new Set<string>();
    for (const { remotePeer, status } of this.#libp2p.getConnections()) {
      if (status === "open") connected.add(remotePeer.toString());
    }
    let dialling = 0;
    let neighbours = 0;
    for (const [key, peer] of this.#peers) {
      if (connected.has(key)) peer.failures = 0;
      if (peer.dialling) dialling += 1;
      if (connected.has(key) || peer.dialling) neighbours += 1;
    }
    const all = [...this.#peers];
    const others = all.slice(FIRST_NEIGHBOURS).sort(([, a], [, b]) => a.draw - b.draw);
    let isDueSoon = false;
    for (const [index, [key, peer]] of [...all.slice(0, FIRST_NEIGHBOURS), ...others].entries()) {
      if (dialling >= PARALLEL_DIALS) break;
      if (index >= FIRST_NEIGHBOURS && neighbours >= MAX_NEIGHBOURS) break;
      if (connected.has(key) || peer.dialling) continue;
      if (now < peer.notBefore) {
        isDueSoon ||= peer.notBefore - now < RESTS * CHECK_INTERVAL_MS;
        continue;
      }
      dialling += 1;
      neighbours += 1;
      void this.#dial(peer);
    }
    if (dialling === 0 && !isDueSoon) this.#rests = RESTS;
  }

  async #dial(peer: Peer): Promise<void> {
    const key = peer.id.toString();
    peer.dialling = true;
    const update = (change: Partial<Peer>): void => {
      // set() may have replaced the record meanwhile
      Object.assign(this.#peers.get(key) ?? peer, change);
    };
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
      await this.#libp2p.dial(peer.addresses, { signal });
      update({ dialling: false, failures: 0, notBefore: performance.now() + FIRST_PAUSE_MS });
      this.#log.debug({ peer: key }, "Connected to a peer");
    } catch (error) {
      const failures = peer.failures + 1;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
      const lastError = error instanceof Error ? error.message : String(error);
      update({ dialling: false, failures, notBefore: performance.now() + pause, lastError });
      if (!this.#stopped.signal.aborted) {
        this.#log.debug({ peer: key, failures, pause, reason: lastError }, "Cannot connect to a peer yet");
      }
    }
  }

  #isConnected(peer: Peer): boolean {
    return this.#libp2p.getConnections(peer.id).some((connection) => connection.status === "open");
  }
}

function parseAddress(address: string): { id: PeerId; parsed: Multiaddr } {
  if (address.length > MAX_ADDRESS_LENGTH) throw new TypeError(`it has more than ${MAX_ADDRESS_LENGTH} characters`);
  const parsed = multiaddr(address);
  const id = parsed.getComponents().findLast((component) => component.name === "p2p")?.value;
  if (id === undefined) throw new TypeError(`"${address}" has no peer id: it must end with /p2p/<peer id>`);
  return { id: peerIdFromString(id), parsed };
}

function sameAddresses(a: readonly Multiaddr[], b: readonly Multiaddr[]): boolean {
  return a.length === b.length && a.every((address, index) => b[index]?.equals(address) === true);
}
