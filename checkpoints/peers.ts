import type { Libp2p, PeerId } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { peerIdFromString } from "@libp2p/peer-id";

import type { Log } from "./log.ts";

const DIAL_TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const CHECK_INTERVAL_MS = 250;
const PARALLEL_DIALS = 16;

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
}

/**
 * Keeps connected to a set of peers. It looks again and again at who is connected rather than acting on events, so
 * that nothing that happens between can be missed; a peer that does not answer is dialled at pauses from 0.5 s,
 * doubling up to 30 s.
 */
export class PeerKeeper {
  readonly #libp2p: Libp2p;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  #peers = new Map<string, Peer>();

  constructor(libp2p: Libp2p, log: Log) {
    this.#libp2p = libp2p;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_INTERVAL_MS);
  }

  /**
   * Replaces the set of peers to be connected to. Several addresses of one peer are tried together; the store's own are
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
        const key = id.toString();
        if (id.equals(this.#libp2p.peerId)) continue;
        const known = this.#peers.get(key);
        const peer = peers.get(key) ?? {
          ...(known ?? { id, failures: 0, dialling: false, notBefore: 0 }),
          addresses: [],
        };
        if (!peer.addresses.some((other) => other.equals(parsed))) peer.addresses.push(parsed);
        peers.set(key, peer);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        rejected.push({ address, reason });
        this.#log.warn({ address, reason }, "Not a usable peer address; its node must register another");
      }
    }
    for (const [key, peer] of peers) {
      const known = this.#peers.get(key);
      // a peer that has moved need not wait until the old address is due
      if (known !== undefined && !sameAddresses(known.addresses, peer.addresses)) peer.notBefore = 0;
    }
    this.#peers = peers;
    this.#check();
    return rejected;
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

  #check(): void {
    if (this.#stopped.signal.aborted) return;
    const now = performance.now();
    let dialling = [...this.#peers.values()].filter((peer) => peer.dialling).length;
    for (const peer of this.#peers.values()) {
      if (this.#isConnected(peer)) {
        peer.failures = 0;
        continue;
      }
      if (peer.dialling || now < peer.notBefore || dialling >= PARALLEL_DIALS) continue;
      dialling += 1;
      void this.#dial(peer);
    }
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
        this.#log.debug({ peer: key, failures, pause, reason: lastError }, "Can't connect to a peer yet");
      }
    }
  }

  #isConnected(peer: Peer): boolean {
    return this.#libp2p.getConnections(peer.id).some((connection) => connection.status === "open");
  }
}

function parseAddress(address: string): { id: PeerId; parsed: Multiaddr } {
  const parsed = multiaddr(address);
  const id = parsed.getComponents().findLast((component) => component.name === "p2p")?.value;
  if (id === undefined) throw new TypeError(`"${address}" has no peer id: it must end with /p2p/<peer id>`);
  return { id: peerIdFromString(id), parsed };
}

function sameAddresses(a: readonly Multiaddr[], b: readonly Multiaddr[]): boolean {
  return a.length === b.length && a.every((address, index) => b[index]?.equals(address) === true);
}
