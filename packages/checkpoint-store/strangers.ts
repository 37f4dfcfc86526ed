import type {
  Connection,
  Libp2p,
  MultiaddrConnection,
  PeerId,
  PeerStore,
  Startable,
  Stream,
  StreamHandler,
  StreamHandlerOptions,
  Transport,
} from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";

import { Budget } from "@verai/system/budget";
import { monotonicMs } from "@verai/system/clock";
import { chooseVictim } from "@verai/system/http/connections";
import type { ConnectionFacts } from "@verai/system/http/connections";

/** Inbound connections at a time; for a new one, an idle one of a stranger is ended. */
export const MAX_INBOUND = 192;
/** Inbound connections of one peer id. */
const MAX_OF_PEER = 4;
/** Connections that have not proved a peer id yet. */
const MAX_PENDING = 128;
/** Peers remembered to have shown a reason to be here. */
const MAX_PROVEN = 1_024;
/** Protocols that are kept of a peer. */
const MAX_PROTOCOLS = 16;
/** Between two looks at what may go, milliseconds. */
const SWEEP_MS = 5_000;
/** Outbound connections that nobody asked to keep are ended after so long without a stream, milliseconds. */
const VISIT_MS = 60_000;

/** Streams of one protocol that others may have open with this node: of all, and of one peer; a rate, and a burst, for each peer. */
interface StreamBounds {
  readonly all: number;
  readonly peer: number;
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Bounds by protocol. A bitswap stream may hold a message of some MiB; the others hold little. Requests of our own protocols
 * are bounded by the messenger, which can say that it is busy.
 */
const BOUNDS: ReadonlyMap<string, StreamBounds> = new Map([
  ["/ipfs/bitswap/1.2.0", { all: 48, peer: 8, perSecond: 200, burst: 800 }],
  ["/ipfs/ping/1.0.0", { all: 64, peer: 2, perSecond: 5, burst: 20 }],
  ["/ipfs/id/1.0.0", { all: 64, peer: 1, perSecond: 1, burst: 10 }],
]);

/** What the guard takes of libp2p's parts. */
export interface Components {
  readonly peerId: PeerId;
  readonly peerStore: PeerStore;
  readonly registrar: {
    getProtocols(): string[];
    handle(protocol: string, handler: StreamHandler, options?: StreamHandlerOptions): Promise<void>;
  };
  readonly connectionManager: { getConnections(): Connection[] };
  readonly events: Pick<Libp2p, "addEventListener" | "removeEventListener">;
}

/** Tells peers with a reason to be here from strangers. */
export interface Acquaintance {
  /** Whether connections with this peer are to be kept. */
  isWanted(peer: string): boolean;
}

/**
 * Bounds what peers that nobody knows can take of a libp2p node: connections, streams, and what is remembered of them. A
 * libp2p service, so that it stands before every protocol's handler.
 *
 * Of a peer nothing is stored but its key and those of its protocols that this node speaks itself: addresses come from the
 * registry, so what a peer says of itself in `identify` (addresses, signed records, names) is of no use. Records of peers that
 * have left go at the next look but one.
 */
export class StrangerGuard implements Startable {
  readonly #components: Components;
  readonly #acquaintance: Acquaintance;
  readonly #proven = new Map<string, true>();
  readonly #streams = new Map<string, Map<string, number>>();
  readonly #rates = new Map<string, Budget>();
  /** When connections were opened: libp2p tells it by the wall clock. */
  readonly #opened = new WeakMap<Connection, number>();
  /** Peers whose records are to go unless they are connected by the next look. */
  #leaving = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(components: Components, acquaintance: Acquaintance) {
    this.#components = components;
    this.#acquaintance = acquaintance;
    this.#boundRecords();
    this.#boundStreams();
  }

  start(): void {
    this.#components.events.addEventListener("connection:open", this.#onOpen);
    this.#timer = setInterval(() => {
      void this.sweep().catch(() => undefined);
    }, SWEEP_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#components.events.removeEventListener("connection:open", this.#onOpen);
    clearInterval(this.#timer);
  }

  /** Notes that a peer has shown a reason to be here, such as a request that a registered operator has signed. */
  prove(peer: string): void {
    this.#proven.delete(peer);
    this.#proven.set(peer, true);
    const [oldest] = this.#proven.keys();
    if (this.#proven.size > MAX_PROVEN && oldest !== undefined) this.#proven.delete(oldest);
  }

  /** Lets go of what nobody needs: records of peers that have left, and connections made for one request. */
  async sweep(): Promise<void> {
    const { connectionManager, peerStore, peerId } = this.#components;
    const connections = connectionManager.getConnections();
    const connected = new Set(connections.map(({ remotePeer }) => remotePeer.toString()));
    const leaving = new Set<string>();
    for (const { id } of await peerStore.all()) {
      const name = id.toString();
      if (connected.has(name) || id.equals(peerId)) continue;
      if (this.#leaving.has(name)) await peerStore.delete(id);
      else leaving.add(name);
    }
    this.#leaving = leaving;
    const now = monotonicMs();
    for (const connection of connections) {
      const { direction, streams, remotePeer } = connection;
      if (direction !== "outbound" || streams.length > 0 || now - this.#openedAt(connection) < VISIT_MS) continue;
      if (!this.#acquaintance.isWanted(remotePeer.toString())) connection.close().catch(() => undefined);
    }
  }

  readonly #onOpen = (event: CustomEvent<Connection>): void => {
    const { connectionManager } = this.#components;
    this.#opened.set(event.detail, monotonicMs());
    const inbound = connectionManager.getConnections().filter(({ direction }) => direction === "inbound");
    const peer = event.detail.remotePeer;
    const own = inbound.filter(({ remotePeer }) => remotePeer.equals(peer));
    if (own.length > MAX_OF_PEER)
      own.sort((a, b) => this.#openedAt(a) - this.#openedAt(b))[0]?.abort(new Error("too many of one peer"));
    if (inbound.length <= MAX_INBOUND) return;
    const others = inbound.filter((connection) => connection !== event.detail);
    const facts = others.map((connection) => [connection, this.#factsOf(connection)] as const);
    const victim = chooseVictim(facts, monotonicMs()) ?? event.detail;
    victim.abort(new Error(`more than ${MAX_INBOUND} connections`));
  };

  #openedAt(connection: Connection): number {
    const known = this.#opened.get(connection) ?? monotonicMs();
    this.#opened.set(connection, known);
    return known;
  }

  #factsOf(connection: Connection): ConnectionFacts {
    const { remotePeer, remoteAddr, streams } = connection;
    const name = remotePeer.toString();
    const proven = this.#proven.has(name) || this.#acquaintance.isWanted(name);
    // A stranger's streams do not make it busy: it could hold its place by opening one.
    return {
      address: addressOf(remoteAddr),
      proven,
      busy: proven && streams.length > 0,
      usedAt: this.#openedAt(connection),
    };
  }

  /** Of a peer's record only what is needed is stored. */
  #boundRecords(): void {
    const { peerStore, peerId, registrar } = this.#components;
    const spoken = (protocols: string[]): string[] => {
      const own = registrar.getProtocols();
      return [...new Set(protocols)].filter((protocol) => own.includes(protocol)).slice(0, MAX_PROTOCOLS);
    };
    const patch = peerStore.patch.bind(peerStore);
    const merge = peerStore.merge.bind(peerStore);
    const save = peerStore.save.bind(peerStore);
    const bound = (write: typeof patch): typeof patch => {
      return (id, { protocols, tags, publicKey, ...rest }, options) => {
        if (id.equals(peerId)) {
          return write(
            id,
            { ...rest, ...(protocols && { protocols }), ...(tags && { tags }), ...(publicKey && { publicKey }) },
            options,
          );
        }
        const kept = {
          ...(protocols && { protocols: spoken(protocols) }),
          ...(tags && { tags }),
          ...(publicKey && { publicKey }),
        };
        return write(id, kept, options);
      };
    };
    Object.assign(peerStore, { patch: bound(patch), merge: bound(merge), save: bound(save) });
  }

  /** Before each handler stands a count and a rate of the streams that others open. */
  #boundStreams(): void {
    const { registrar } = this.#components;
    const handle = registrar.handle.bind(registrar);
    const bounded = async (protocol: string, handler: StreamHandler, options?: StreamHandlerOptions): Promise<void> => {
      const bounds = BOUNDS.get(protocol);
      await handle(protocol, bounds === undefined ? handler : this.#bound(protocol, bounds, handler), options);
    };
    Object.assign(registrar, { handle: bounded });
  }

  #bound(protocol: string, bounds: StreamBounds, handler: StreamHandler): StreamHandler {
    const open = this.#streams.get(protocol) ?? new Map<string, number>();
    this.#streams.set(protocol, open);
    const rate = this.#rates.get(protocol) ?? new Budget({ perSecond: bounds.perSecond, burst: bounds.burst });
    this.#rates.set(protocol, rate);
    return (stream: Stream, connection: Connection) => {
      const peer = connection.remotePeer.toString();
      const own = open.get(peer) ?? 0;
      const all = [...open.values()].reduce((sum, count) => sum + count, 0);
      if (own >= bounds.peer || all >= bounds.all || !rate.take(peer)) {
        stream.abort(new Error(`too many streams of ${protocol}`));
        return;
      }
      open.set(peer, own + 1);
      stream.addEventListener(
        "close",
        () => {
          const left = (open.get(peer) ?? 1) - 1;
          if (left > 0) open.set(peer, left);
          else open.delete(peer);
        },
        { once: true },
      );
      return handler(stream, connection);
    };
  }
}

/** The guard as libp2p takes a service. It has to be the first, so that it stands before the handlers of the others. */
export function strangerGuard(acquaintance: Acquaintance): (components: Components) => StrangerGuard {
  return (components) => new StrangerGuard(components, acquaintance);
}

/**
 * Wraps a transport so that connections which have not proved a peer id yet are bounded in number: for a new one, the oldest
 * of the address that has most is ended. Without this, silent sockets keep others out until they time out.
 *
 * @param dialling - says why an address may not be dialled; undefined if it may
 */
export function guardTransport(transport: Transport, dialling: (address: Multiaddr) => string | undefined): Transport {
  const pending = new Map<MultiaddrConnection, ConnectionFacts>();
  const createListener = transport.createListener.bind(transport);
  const dial = transport.dial.bind(transport);
  return Object.assign(transport, {
    createListener: (options: Parameters<Transport["createListener"]>[0]) => {
      const { upgrader } = options;
      const upgradeInbound: typeof upgrader.upgradeInbound = async (connection, upgradeOptions) => {
        const now = performance.now();
        if (pending.size >= MAX_PENDING) {
          const victim = chooseVictim(pending, now);
          if (victim !== undefined) {
            pending.delete(victim);
            victim.abort(new Error(`more than ${MAX_PENDING} connections without a peer id`));
          }
        }
        pending.set(connection, { address: addressOf(connection.remoteAddr), proven: false, busy: false, usedAt: now });
        try {
          await upgrader.upgradeInbound(connection, upgradeOptions);
        } finally {
          pending.delete(connection);
        }
      };
      return createListener({
        ...options,
        upgrader: Object.create(upgrader, { upgradeInbound: { value: upgradeInbound } }) as typeof upgrader,
      });
    },
    dial: async (address: Multiaddr, options: Parameters<Transport["dial"]>[1]) => {
      const why = dialling(address);
      if (why !== undefined) throw new Error(`${address.toString()} may not be dialled: ${why}`);
      return dial(address, options);
    },
  });
}

/** Where a connection comes from, without its port. */
export function addressOf(address: Multiaddr): string {
  return address.getComponents()[0]?.value ?? "";
}
