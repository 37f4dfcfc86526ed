import { join, resolve } from "node:path";

import type { CID } from "multiformats/cid";

import { toCid } from "./cids.ts";
import { CheckpointError } from "./errors.ts";
import { exportTo, refuseTaken } from "./export.ts";
import { runFetch } from "./fetch.ts";
import type { Fetched, FetchOptions } from "./fetch.ts";
import { loadIdentity } from "./identity.ts";
import { roundTrips } from "./latency.ts";
import { LocalStore } from "./local.ts";
import type { Stored } from "./local.ts";
import type { Log } from "./log.ts";
import type { Json } from "./messages/frames.ts";
import { Messenger } from "./messages/messenger.ts";
import type { HandleOptions, MessageHandler, RequestOptions } from "./messages/messenger.ts";
import { startNetwork } from "./network.ts";
import type { NetworkNode } from "./network.ts";
import { PeerKeeper } from "./peers.ts";
import type { PeerStatus, RejectedAddress } from "./peers.ts";
import { BitswapSource } from "./sources.ts";

/** Where a store keeps its things and how it is reached. */
export interface CheckpointStoreOptions {
  /** Directory of the store; made if missing. One running store per directory. */
  directory: string;
  /** Multiaddrs to listen on. Default: any free port of 127.0.0.1. */
  listen?: string[];
  /** Multiaddrs under which others reach this store, if not those listened on (NAT, containers). */
  announce?: string[];
  log?: Log;
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
  #running: { node: NetworkNode; peers: PeerKeeper } | undefined;

  constructor(options: CheckpointStoreOptions) {
    super(options.directory, options.log);
    this.#options = options;
    this.#messenger = new Messenger(this.log);
  }

  /**
   * Opens the store and begins to serve.
   *
   * @throws {@link CheckpointError} `DISK_FULL`, `DISK_FAILED`, `IDENTITY`, `LISTEN_FAILED`
   */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.open();
    try {
      const privateKey = await loadIdentity(join(this.directory, "identity.key"), this.temporary, this.log);
      const { listen = ["/ip4/127.0.0.1/tcp/0"], announce = [] } = this.#options;
      const node = await startNetwork(this.blocks, { privateKey, listen, announce });
      this.#running = { node, peers: new PeerKeeper(node.libp2p, this.log) };
      await this.#messenger.start(node.libp2p);
    } catch (error) {
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
    await running?.node.stop();
  }

  /** The store's libp2p peer id, the same after every restart. */
  get peerId(): string {
    return this.#network().node.libp2p.peerId.toString();
  }

  /** Addresses with peer id under which others reach this store. */
  multiaddrs(): string[] {
    return this.#network()
      .node.libp2p.getMultiaddrs()
      .map((address) => address.toString());
  }

  /** Keeps connected to these peers from now on; see {@link PeerKeeper.set}. */
  setPeers(addresses: readonly string[]): RejectedAddress[] {
    return this.#network().peers.set(addresses);
  }

  /** How it stands with the peers that were set. */
  peers(): PeerStatus[] {
    return this.#network().peers.status();
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
    return this.#fetch(toCid(cid), options, () => Promise.resolve());
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
    return this.#fetch(root, options, ({ read, signal }) => exportTo(root, target, read, signal));
  }

  async #fetch(root: CID, options: FetchOptions, work: (fetched: Fetched) => Promise<void>): Promise<Stored> {
    return this.operation(async (holds, stopped) => {
      const { node } = this.#network();
      const source = new BitswapSource(node.blockstore);
      const peers = (): string[] => node.libp2p.getPeers().map((peer) => peer.toString());
      return runFetch(root, { blocks: this.blocks, source, holds, stopped, peers }, options, async (fetched) => {
        await work(fetched);
        if (options.pin !== undefined) await this.keep(root, fetched.dag, options.pin);
        return { cid: root, size: fetched.dag.size, blocks: fetched.dag.names.length };
      });
    });
  }

  #network(): { node: NetworkNode; peers: PeerKeeper } {
    if (this.#running === undefined) {
      throw new CheckpointError("NOT_STARTED", `The checkpoint store at ${this.directory} is not running: start it`);
    }
    return this.#running;
  }
}
