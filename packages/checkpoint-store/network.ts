import { withBitswap } from "@helia/bitswap";
import type { HeliaWithLibp2p } from "@helia/libp2p";
import type { PrivateKey } from "@libp2p/interface";
import { identify } from "@libp2p/identify";
import type { Identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { ping } from "@libp2p/ping";
import type { Ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import type { Multiaddr } from "@multiformats/multiaddr";
import { MemoryDatastore } from "datastore-core";
import { BaseBlockstore } from "blockstore-core/base";
import type { InputPair } from "interface-blockstore";
import type { CID } from "multiformats/cid";

import { type BlockFiles, BlockNotFoundError } from "./blocks.ts";
import { MAX_BLOCK_BYTES } from "./cids.ts";
import type { DialPolicy } from "./dial-policy.ts";
import { CheckpointError } from "./errors.ts";
import { loadPrivateHelia } from "./private-helia.ts";
import { guardTransport, strangerGuard } from "./strangers.ts";
import type { Acquaintance, StrangerGuard } from "./strangers.ts";

/** Many nodes may share one address (a loopback, a NAT); libp2p's default lets 5 a second in from each. */
const INBOUND_CONNECTIONS_PER_SECOND = 100;
/** Time in which a connection has to prove a peer id, and a stream to say its protocol. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/**
 * Between two looks whether a connection still has somebody at its other end. Each opens a stream, and every agent does it with every
 * neighbour, so it is no shorter than it must be: what is asked of a peer has a bound of its own.
 */
const PING_INTERVAL_MS = 60_000;
/** Never reached, since the guard bounds them below: libp2p's own way ends the newest, of whichever peer. */
const MAX_CONNECTIONS = 512;
/** What `identify` may say; ours says some 600 bytes. */
const IDENTIFY_BYTES = 4 * 1024;
/** Streams that a connection may have open. */
const MAX_STREAMS = 256;
/** Streams that a peer may open before a new connection is fully set up; libp2p's default of 10 ends the connection. */
const EARLY_STREAMS = 256;
/** Two full chunks a message, so that even on a slow line something arrives often enough. */
const MESSAGE_BYTES = MAX_BLOCK_BYTES + 64 * 1024;
/** For all that a peer asked for at once: up to 16 MiB. */
const MESSAGE_TIMEOUT_MS = 60_000;
/** A peer that lost a block soon after getting it may ask again. */
const RESEND_AFTER_MS = 1_000;

/** A running Helia node with its libp2p. */
export type NetworkNode = HeliaWithLibp2p<{ identify: Identify; ping: Ping; guard: StrangerGuard }>;

/** How the store appears in the network. */
export interface NetworkOptions {
  privateKey: PrivateKey;
  /** Multiaddrs to listen on. */
  listen: string[];
  /** Multiaddrs under which others reach this peer, if not those listened on. */
  announce: string[];
  /** Which addresses may be dialled. */
  dialling: DialPolicy;
  /** Which peers are to be kept. */
  acquaintance: Acquaintance;
  /** Whether bitswap, which knows no reasons, serves nothing and only receives. */
  receiveOnly: boolean;
}

/** A store that takes blocks in and shows none of them: what Helia's bitswap has where access is controlled. */
class Inbox extends BaseBlockstore {
  readonly #blocks: BlockFiles;

  constructor(blocks: BlockFiles) {
    super();
    this.#blocks = blocks;
  }

  override async has(): Promise<boolean> {
    return Promise.resolve(false);
  }

  // oxlint-disable-next-line require-yield -- there is nothing to show
  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    throw new BlockNotFoundError(`Block ${cid.toString()} is not shown`);
  }

  override async put(cid: CID, value: InputPair["bytes"]): Promise<CID> {
    return this.#blocks.put(cid, value);
  }
}

/**
 * Starts a private Helia node: libp2p over TCP with bitswap to peers that are dialled by address. No bootstrap, DHT,
 * mDNS, UPnP, relay or gateway. libp2p's own store is in memory: the peer key is kept by us, addresses come from the
 * registry, and so a full disk can't stop the node from serving.
 *
 * @throws {@link CheckpointError} `LISTEN_FAILED`
 */
export async function startNetwork(blocks: BlockFiles, options: NetworkOptions): Promise<NetworkNode> {
  const { dialling } = options;
  const { createHeliaLight, withLibp2pLight } = await loadPrivateHelia();
  const blockstore = options.receiveOnly ? new Inbox(blocks) : blocks;
  const refusal = (address: Multiaddr): string | undefined => dialling.refusalOf(address);
  // net.connect takes it, though libp2p does not name it.
  const dialOpts: object = { lookup: dialling.lookup };
  const node = withBitswap(
    withLibp2pLight(createHeliaLight({ blockstore, datastore: new MemoryDatastore() }), {
      privateKey: options.privateKey,
      addresses: { listen: options.listen, announce: options.announce },
      transports: [(components) => guardTransport(tcp({ dialOpts })(components), refusal)],
      connectionGater: { denyDialMultiaddr: (address) => refusal(address) !== undefined },
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ maxEarlyStreams: EARLY_STREAMS, maxInboundStreams: MAX_STREAMS })],
      services: {
        // Before all others: it stands before their handlers.
        guard: strangerGuard(options.acquaintance),
        identify: identify({ maxMessageSize: IDENTIFY_BYTES, timeout: HANDSHAKE_TIMEOUT_MS }),
        ping: ping({ timeout: HANDSHAKE_TIMEOUT_MS }),
      },
      connectionMonitor: { pingInterval: PING_INTERVAL_MS },
      connectionManager: {
        inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
        maxConnections: MAX_CONNECTIONS,
        maxIncomingPendingConnections: MAX_CONNECTIONS,
        inboundUpgradeTimeout: HANDSHAKE_TIMEOUT_MS,
        inboundStreamProtocolNegotiationTimeout: HANDSHAKE_TIMEOUT_MS,
      },
    }),
    {
      maxOutgoingMessageSize: MESSAGE_BYTES,
      // peers with other software may send more
      maxIncomingMessageSize: 2 * MESSAGE_BYTES,
      messageSendTimeout: MESSAGE_TIMEOUT_MS,
      messageReceiveTimeout: MESSAGE_TIMEOUT_MS,
      doNotResendBlockWindow: RESEND_AFTER_MS,
    },
  );
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.stop().catch(() => undefined);
    throw new CheckpointError(
      "LISTEN_FAILED",
      `Cannot listen on ${options.listen.join(", ")}: choose a free port (0 for any) of an address of this machine`,
      { cause: error },
    );
  }
}
