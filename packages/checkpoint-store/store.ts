import { join, resolve } from "node:path";

import type { CID } from "multiformats/cid";

import { type Access, ACCESS_PROTOCOL, BLOCK_PROTOCOL, MAX_ACCESS_BYTES } from "./access/access.ts";
import { Gate, MAX_BLOCK_MESSAGE } from "./access/gate.ts";
import { Grants } from "./access/grants.ts";
import { type Ask, Tickets } from "./access/tickets.ts";
import { toCid } from "./cids.ts";
import { CheckpointError } from "./errors.ts";
import { DialPolicy } from "./dial-policy.ts";
import type { Reach } from "./dial-policy.ts";
import { exportTo, refuseTaken } from "./export.ts";
import { runFetch } from "./fetch.ts";
import type { Beside, FetchOptions } from "./fetch.ts";
import { loadIdentity } from "./identity.ts";
import { roundTrips } from "./latency.ts";
import { isSpotProof, leafDigest, pickLeaf } from "./spot-proofs.ts";
import { LocalStore } from "./local.ts";
import type { Stored } from "./local.ts";
import type { Log } from "./log.ts";
import type { Json } from "./messages/frames.ts";
import { Messenger } from "./messages/messenger.ts";
import type { HandleOptions, MessageHandler, RequestOptions } from "./messages/messenger.ts";
import { startNetwork } from "./network.ts";
import type { NetworkNode } from "./network.ts";
import type { Acquaintance } from "./strangers.ts";
import { PeerKeeper } from "./peers.ts";
import type { PeerStatus, RejectedAddress } from "./peers.ts";
import type { HttpLimits } from "@verai/system/http/server";
import { withReader } from "./reader.ts";
import type { ReaderContext } from "./reader.ts";
import { besideLibp2p, listenAddress, splitAddresses, toEndpoint } from "./transfer/addresses.ts";
import type { HttpAddress } from "./transfer/addresses.ts";
import { BitswapSource } from "./transfer/bitswap.ts";
import { MessageSource } from "./transfer/by-message.ts";
import { Asking, type Credentials, HttpPuller } from "./transfer/puller.ts";
import { BlockServer } from "./transfer/server.ts";
import { SharedWork } from "./transfer/shared.ts";
import { NetworkSource } from "./transfer/source.ts";
import { DEFAULT_STALL_TIMEOUT_MS, MAX_NAMED } from "./stall-timer.ts";
import type { TimeOuts } from "./stall-timer.ts";

/** Where a store keeps its things and how it is reached. */
export interface CheckpointStoreOptions {
  /** Directory of the store; made if missing. One running store per directory. */
  directory: string;
  /** Multiaddrs to listen on. Default: any free port of 127.0.0.1. */
  listen?: string[];
  /** Multiaddrs under which others reach this store, if not those listened on (NAT, containers). */
  announce?: string[];
  /** Serving blocks over HTTP, which is several times as fast as bitswap; false for none. */
  http?: HttpServing | false;
  /**
   * Which of the addresses that {@link CheckpointStore.setPeers} and {@link CheckpointStore.request} are given may be dialled:
   * those of the Internet, or any (default), for a network on one machine.
   */
  reach?: Reach;
  /** Multiaddrs from the own configuration, whose hosts are dialled whatever `reach` says. */
  trusted?: readonly string[];
  /** Bounds of the HTTP server that differ from the usual ones. */
  httpLimits?: Partial<HttpLimits>;
  /**
   * Who may read what is here, and how this store shows that it may read what others have. Left out: anyone who asks is served, and
   * content of others is asked for without a proof.
   */
  access?: Access | undefined;
  /** Maximum bytes that all blocks together may have; see {@link LocalStore}. Default: no bound. */
  maxBytes?: number;
  log?: Log;
}

/** Where a store serves its blocks over HTTP. */
export interface HttpServing {
  /** Multiaddr to listen on, `/ip4/…/tcp/…/http`. Default: the port above that of the first in `listen`, 0 if that is 0. */
  listen?: string | undefined;
  /** Multiaddrs under which others reach it. Default: the port listened on, under the hosts that libp2p is reached by. */
  announce?: string[] | undefined;
}

interface Running {
  node: NetworkNode;
  dialling: DialPolicy;
  peers: PeerKeeper;
  puller: HttpPuller;
  shared: SharedWork;
  server: BlockServer | undefined;
  /** Multiaddrs of the server. */
  httpAddresses: string[];
}

/**
 * Checkpoints on disk and in a private IPFS network of peers that are dialled by address. What comes from the network
 * is verified block by block, as is what is read from disk (see {@link LocalStore}).
 *
 * All calls but the constructor need {@link start} to have returned, else they throw {@link CheckpointError}
 * `NOT_STARTED`.
 */
export class CheckpointStore extends LocalStore {
  readonly #options: CheckpointStoreOptions;
  readonly #messenger: Messenger;
  readonly #grants = new Grants((root) => this.pinned(root));
  readonly #tickets: Tickets | undefined;
  readonly #ask: Ask = (peer, protocol, body, options) => this.request(peer, protocol, body, options);
  #running: Running | undefined;

  constructor(options: CheckpointStoreOptions) {
    super(options.directory, options.log, options.maxBytes);
    this.#options = options;
    this.#messenger = new Messenger(this.log);
    const { access } = options;
    this.#tickets = access && new Tickets(access, this.#ask);
  }

  /**
   * Opens the store and begins to serve.
   *
   * @throws {@link CheckpointError} `IN_USE`, `DISK_FULL`, `DISK_FAILED`, `IDENTITY`, `LISTEN_FAILED`
   */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.open();
    let node: NetworkNode | undefined;
    let server: BlockServer | undefined;
    try {
      const privateKey = await loadIdentity(join(this.directory, "identity.key"), this.temporary, this.log);
      const { listen = ["/ip4/127.0.0.1/tcp/0"], announce = [], http = {} } = this.#options;
      let port = 0;
      if (http !== false) {
        const admit = (header: string | undefined, cid: CID): boolean => this.#grants.admitsHeader(header, cid);
        const { access, httpLimits } = this.#options;
        server = new BlockServer((cid) => this.blocks.read(cid), this.log, httpLimits, access && admit);
        port = await server.start(listenAddress(http.listen, listen));
      }
      const dialling = new DialPolicy(this.#options.reach ?? "any", this.#options.trusted);
      const acquaintance: Acquaintance = { isWanted: (peer) => this.#running?.peers.isWanted(peer) ?? false };
      const receiveOnly = this.#options.access !== undefined;
      node = await startNetwork(this.blocks, { privateKey, listen, announce, dialling, acquaintance, receiveOnly });
      const libp2p = node.libp2p.getMultiaddrs().map((address) => address.toString());
      this.#running = {
        node,
        dialling,
        peers: new PeerKeeper(node.libp2p, this.log, dialling),
        puller: new HttpPuller(this.blocks, this.log, dialling),
        shared: new SharedWork(),
        server,
        httpAddresses: http === false ? [] : (http.announce ?? besideLibp2p(libp2p, port)),
      };
      await this.#serveAccess();
      const { guard } = node.libp2p.services;
      await this.#messenger.start(node.libp2p, (peer) => {
        guard.prove(peer);
      });
    } catch (error) {
      this.#running = undefined;
      await node?.stop();
      await server?.stop();
      await this.close();
      throw error;
    }
    this.log.info({ peer: this.peerId, addresses: this.multiaddrs() }, "Checkpoint store started");
  }

  /** Ends what is under way (it throws `NOT_STARTED`), and leaves the network. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.peers.stop();
    this.#messenger.stop(new CheckpointError("NOT_STARTED", `The checkpoint store at ${this.directory} was stopped`));
    await this.close();
    running?.puller.close();
    await running?.server?.stop();
    await running?.node.stop();
  }

  /** The store's libp2p peer id, the same after every restart. */
  get peerId(): string {
    return this.#network().node.libp2p.peerId.toString();
  }

  /** Addresses under which others reach this store: libp2p's, with peer id, then those of HTTP. */
  multiaddrs(): string[] {
    const { node, httpAddresses } = this.#network();
    return [...node.libp2p.getMultiaddrs().map((address) => address.toString()), ...httpAddresses];
  }

  /** The addresses as a node registers them: comma-separated, in at most 256 bytes. */
  endpoint(): string {
    return toEndpoint(this.multiaddrs());
  }

  /**
   * Keeps connected to some of these peers from now on (see {@link PeerKeeper.set}), and asks those addresses that end with
   * `/http` for blocks. Own addresses are passed over.
   *
   * @param addresses - the most important peers first: these are connected to, and asked first. Of each peer its addresses of
   * libp2p before those of HTTP, as an endpoint has them: access is asked for there
   */
  setPeers(addresses: readonly string[]): RejectedAddress[] {
    const { peers, puller, httpAddresses, dialling } = this.#network();
    const http: HttpAddress[] = [];
    const rejected: RejectedAddress[] = [];
    const split = splitAddresses(addresses);
    for (const { text, address } of split.http) {
      const reason = dialling.refusal(address.host);
      if (reason !== undefined) rejected.push({ address: text, reason });
      else if (!httpAddresses.includes(text)) http.push(address);
    }
    puller.set(http);
    return [...rejected, ...peers.set(split.libp2p)];
  }

  /** How it stands with the peers that were set. */
  peers(): PeerStatus[] {
    return this.#network().peers.status();
  }

  /** The node beneath, for tests that look at its connections and records. */
  inside(): NetworkNode {
    return this.#network().node;
  }

  /**
   * Measures the round-trip times to all peers that are connected, ms by peer id; who does not answer within `timeout` ms is
   * left out.
   */
  async roundTrips(timeout = 2_000): Promise<Map<string, number>> {
    const { node } = this.#network();
    return roundTrips(node, node.libp2p.getPeers(), timeout);
  }

  /**
   * Answers other peers' requests of a protocol, `/drmp/…/1`; see {@link Messenger.handle}. May be called before
   * {@link start}, so that no request finds it missing.
   */
  async handle(protocol: string, handler: MessageHandler, options?: HandleOptions): Promise<void> {
    return this.#messenger.handle(protocol, handler, options);
  }

  /** Asks a peer, named by its peer id or its multiaddrs; see {@link Messenger.request}. */
  async request(
    peer: string | readonly string[],
    protocol: string,
    body: Json,
    options?: RequestOptions,
  ): Promise<unknown> {
    return this.#messenger.request(this.#running?.peers.addressesOf(peer) ?? peer, protocol, body, options);
  }

  /** Brings all blocks of a CID into the store, verified, without writing files. Throws as {@link runFetch} does. */
  async fetch(cid: CID | string, options: FetchOptions = {}): Promise<Stored> {
    return this.#fetch(toCid(cid), options);
  }

  /**
   * Fetches a CID and writes its file or directory to a path that does not exist yet, all or nothing and durably.
   *
   * @throws {@link CheckpointError} as {@link runFetch} and {@link exportTo} do
   */
  async fetchTo(cid: CID | string, destination: string, options: FetchOptions = {}): Promise<Stored> {
    const target = resolve(destination);
    await refuseTaken(target);
    const root = toCid(cid);
    return this.#fetch(root, options, (read, signal, maxBytes) =>
      exportTo(root, target, read, signal, { maxBytes, ...(options.decoder && { decoder: options.decoder }) }),
    );
  }

  /**
   * Whether a holder's answer to a challenge (see {@link LocalStore.proveLeaf}) is right. The blocks down to the leaf,
   * and the leaf, are fetched if they are not here, from whichever peer.
   *
   * @param proof - as it came from the holder
   * @throws {@link CheckpointError} as {@link runFetch} does: then nothing is known of the holder
   */
  async verifyLeaf(cid: CID | string, nonce: string, proof: unknown, timeOuts: TimeOuts = {}): Promise<boolean> {
    const root = toCid(cid);
    return this.#reading(root, timeOuts, (context) =>
      withReader(root, context, timeOuts, async ({ read }) => {
        const { cid: leaf, path } = await pickLeaf(root, nonce, read);
        if (!isSpotProof(proof) || proof.leaf !== leaf.toString() || proof.path.join() !== path.join()) return false;
        return proof.digest === leafDigest(nonce, await read(leaf));
      }),
    );
  }

  async #fetch(root: CID, options: FetchOptions, beside?: Beside): Promise<Stored> {
    return this.#reading(root, options, async (context) => {
      const dag = await runFetch(root, context, options, beside);
      if (options.pin !== undefined) await this.keep(root, dag, options.pin);
      return { cid: root, size: dag.size, blocks: dag.names.length };
    });
  }

  async #reading<T>(root: CID, timeOuts: TimeOuts, work: (context: ReaderContext) => Promise<T>): Promise<T> {
    return this.operation(async (references, stopped) => {
      const { node, puller, shared } = this.#network();
      const from = timeOuts.from ?? [];
      const named = puller.at(this.#named(from));
      const credentials = this.#credentials(root, timeOuts.hint ?? null);
      const asking = new Asking(puller, timeOuts.stallTimeout ?? DEFAULT_STALL_TIMEOUT_MS, named.peers, credentials);
      const owners = named.peers.map(({ owner }) => owner).filter((owner) => owner.length > 0);
      const connected = (): string[] => node.libp2p.getPeers().map((peer) => peer.toString());
      const messages =
        credentials &&
        new MessageSource({
          ask: this.#ask,
          blocks: this.blocks,
          credentials,
          peers: () => [...owners, ...connected()],
        });
      const source = new NetworkSource(asking, new BitswapSource(node.blockstore), messages);
      const peers = (): string[] => [...connected(), ...asking.peers];
      try {
        return await work({ blocks: this.blocks, source, shared, references, stopped, peers });
      } finally {
        named.close();
      }
    });
  }

  /** The HTTP addresses of those that are named; the others among them are connected to. */
  #named(addresses: readonly string[]): HttpAddress[] {
    const { peers, httpAddresses, dialling } = this.#network();
    const split = splitAddresses(addresses.slice(0, MAX_NAMED));
    const http = split.http.filter(
      ({ text, address }) => dialling.refusal(address.host) === undefined && !httpAddresses.includes(text),
    );
    peers.meet(split.libp2p);
    return http.map(({ address }) => address);
  }

  /** How a fetch shows that it may have some content; undefined where this store has no proofs to give. */
  #credentials(root: CID, hint: Json): Credentials | undefined {
    const tickets = this.#tickets;
    if (tickets === undefined) return undefined;
    const [own, name] = [this.peerId, root.toString()];
    return {
      at: (peer) => tickets.at(own, peer, name, hint),
      forget: (peer) => {
        tickets.forget(peer, name);
      },
    };
  }

  /** Answers those who ask for access, and gives blocks by message. */
  async #serveAccess(): Promise<void> {
    const { access } = this.#options;
    if (access === undefined) return;
    const gate = new Gate(
      access,
      this.#grants,
      (root) => this.pinned(root),
      (cid) => this.blocks.read(cid),
    );
    await this.handle(ACCESS_PROTOCOL, (body, requester) => gate.grant(body, requester), {
      maxBytes: MAX_ACCESS_BYTES,
    });
    await this.handle(BLOCK_PROTOCOL, (body, requester) => gate.block(body, requester), {
      maxBytes: MAX_BLOCK_MESSAGE,
    });
  }

  #network(): Running {
    if (this.#running === undefined) {
      throw new CheckpointError("NOT_STARTED", `The checkpoint store at ${this.directory} is not running: start it`);
    }
    return this.#running;
  }
}
