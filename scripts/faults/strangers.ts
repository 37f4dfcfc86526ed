import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { noise } from "@libp2p/noise";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { Wallet } from "ethers";
import { createLibp2p } from "libp2p";
import { pino } from "pino";
import { Registry } from "prom-client";

import { BASE_SEPOLIA_CHAIN_ID, LOCAL_CHAIN_ID } from "@verai/client/chains";
import { ReceiptResponder } from "@verai/agent/replication/responder";
import { replicationMetrics } from "@verai/agent/replication/replication-metrics";
import { SpotChecks } from "@verai/agent/replication/spot-check";
import { PeerReputation } from "@verai/agent/replication/reputation";
import { chooseNeighbours } from "@verai/agent/node/neighbours";
import type { Lease, Node } from "@verai/client/entities";
import { receiptDomain, signReceipt } from "@verai/client/checkpoint-receipt";
import type { Session } from "@verai/client/session";
import { DialPolicy } from "@verai/checkpoint-store/dial-policy";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import { MAX_NEIGHBOURS } from "@verai/checkpoint-store/peers";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import type { CheckpointStoreOptions } from "@verai/checkpoint-store/store";
import { MAX_INBOUND } from "@verai/checkpoint-store/strangers";
import { reachOf } from "@verai/process/reach";
import { exchangeRaw, openSockets, seededRandom } from "@verai/system/http/testing";
import type { FaultCase, FaultContext, FaultKind } from "@verai/devnet/fault-case";

const SEED = 20_261_129;
const PROTOCOL = "/drmp/echo/1";

/** A store under attack that answers, an honest one, and strangers; all end with the case. */
class Scene {
  readonly #context: FaultContext;
  readonly #ends: (() => Promise<unknown>)[] = [];
  #count = 0;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  async store(options: Partial<CheckpointStoreOptions> = {}): Promise<CheckpointStore> {
    const directory = join(this.#context.directory, String(this.#count++));
    const store = new CheckpointStore({ http: false, ...options, directory });
    this.#ends.push(() => store.stop());
    await store.handle(PROTOCOL, (body) => body as string, { maxBytes: 4_096 });
    await store.start();
    return store;
  }

  /** A peer with another implementation's freedom: it says of itself what it likes. */
  async stranger(announce: string[] = [], agentVersion = "x"): Promise<Libp2p> {
    const peer = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      addresses: { announce },
      services: { identify: identify(), ping: ping() },
      nodeInfo: { userAgent: agentVersion },
    });
    this.#ends.push(async () => peer.stop());
    return peer;
  }

  async end(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
  }
}

function scene(name: string, run: (scene: Scene) => Promise<void>, slow?: true): FaultCase {
  return {
    name,
    ...(slow && { slow }),
    run: async (context) => {
      const own = new Scene(context);
      try {
        await run(own);
      } finally {
        await own.end();
      }
    },
  };
}

const tcpOf = (store: CheckpointStore): string => store.multiaddrs()[0] ?? "";
const portOf = (store: CheckpointStore): number => Number(tcpOf(store).split("/")[4]);

async function echoes(from: CheckpointStore, to: CheckpointStore): Promise<void> {
  assert.equal(await from.request([tcpOf(to)], PROTOCOL, "hello", { timeout: 8_000 }), "hello");
}

/** Bytes on the port of libp2p that are no libp2p. */
function portCases(): FaultCase[] {
  const random = seededRandom(SEED);
  const noiseBytes = Buffer.from(Array.from({ length: 4_096 }, () => Math.floor(random() * 256)));
  const rows: [string, string | Uint8Array][] = [
    ["an HTTP request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a TLS hello", Buffer.from("16030100c8010000c40303", "hex")],
    [`random bytes (seed ${String(SEED)})`, noiseBytes],
    ["a protocol name of endless length", Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])],
    ["a protocol that nobody speaks, a thousand times", "\x13/multistream/1.0.0\n" + "\x07/nope/1\n".repeat(1_000)],
    ["a handshake that stops after its first message", "\x13/multistream/1.0.0\n\x07/noise\n\x00\x20" + "x".repeat(32)],
    [
      "a handshake message of zeros",
      Buffer.concat([Buffer.from("\x13/multistream/1.0.0\n\x07/noise\n"), Buffer.alloc(70_000)]),
    ],
  ];
  return rows.map(([name, bytes]) =>
    scene(`${name} at the port of libp2p`, async (own) => {
      const [store, honest] = [await own.store(), await own.store()];
      await exchangeRaw(portOf(store), [bytes], { limitMs: 300 });
      await echoes(honest, store);
    }),
  );
}

/** Streams of peers that have proved an id and nothing else. */
function streamCases(): FaultCase[] {
  const open = async (own: Scene, store: CheckpointStore, protocol: string) => {
    const peer = await own.stranger();
    const connection = await peer.dial(multiaddr(tcpOf(store)), { signal: AbortSignal.timeout(8_000) });
    // Until libp2p's own identify is over, whose limit is one stream.
    while (connection.streams.length > 0) await sleep(10);
    return { connection, stream: await connection.newStream(protocol, { maxOutboundStreams: 1_000 }) };
  };
  const bytes = (name: string, protocol: string, data: Uint8Array): FaultCase =>
    scene(`${name} on ${protocol}`, async (own) => {
      const [store, honest] = [await own.store(), await own.store()];
      const { stream } = await open(own, store, protocol);
      try {
        stream.send(data);
        await Promise.race([stream.close(), sleep(300)]);
      } catch {
        // The other side may have ended it already.
      }
      await echoes(honest, store);
    });
  const frame = (length: number, body: Buffer): Buffer => {
    const head: number[] = [];
    for (let left = length; ; left = Math.floor(left / 128)) {
      if (left < 128) {
        head.push(left);
        break;
      }
      head.push((left % 128) + 128);
    }
    return Buffer.concat([Buffer.from(head), body]);
  };
  const text = (value: string): Buffer => frame(Buffer.byteLength(value), Buffer.from(value));
  const random = seededRandom(SEED + 1);
  const stirred = Buffer.from(Array.from({ length: 3_000 }, () => Math.floor(random() * 256)));
  return [
    bytes("a message that announces 2 GiB", PROTOCOL, frame(2 ** 31, Buffer.alloc(10))),
    bytes("a length without end", PROTOCOL, Buffer.alloc(64, 0xff)),
    bytes("a message that is no JSON", PROTOCOL, text("{")),
    bytes("a message that is no UTF-8", PROTOCOL, frame(4, Buffer.from([0xff, 0xfe, 0xc0, 0x80]))),
    bytes("two thousand nested arrays", PROTOCOL, text("[".repeat(2_000) + "]".repeat(2_000))),
    bytes("half a message", PROTOCOL, frame(100, Buffer.from('"hel'))),
    bytes(`stirred bytes (seed ${String(SEED + 1)})`, "/ipfs/bitswap/1.2.0", stirred),
    bytes("a message that announces 2 GiB", "/ipfs/bitswap/1.2.0", frame(2 ** 31, Buffer.alloc(10))),
    bytes(`stirred bytes (seed ${String(SEED + 1)})`, "/ipfs/ping/1.0.0", stirred),
    bytes(`stirred bytes (seed ${String(SEED + 1)})`, "/ipfs/id/1.0.0", stirred),
    ...[PROTOCOL, "/ipfs/bitswap/1.2.0", "/ipfs/ping/1.0.0"].map((protocol) =>
      scene(`sixty silent streams on ${protocol}`, async (own) => {
        const [store, honest] = [await own.store(), await own.store()];
        const { connection } = await open(own, store, protocol);
        await Promise.allSettled(
          Array.from({ length: 60 }, async () =>
            connection.newStream(protocol, { maxOutboundStreams: 1_000, signal: AbortSignal.timeout(3_000) }),
          ),
        );
        await echoes(honest, store);
      }),
    ),
    scene("three hundred requests at once of one stranger", async (own) => {
      const [store, honest, rude] = [await own.store(), await own.store(), await own.store()];
      const flood = Promise.allSettled(
        Array.from({ length: 300 }, () => rude.request([tcpOf(store)], PROTOCOL, "x", { timeout: 8_000 })),
      );
      await sleep(100);
      await echoes(honest, store);
      const answers = await flood;
      const refused = answers.filter(
        (answer) => answer.status === "rejected" && answer.reason instanceof CheckpointError,
      );
      assert.ok(refused.length >= 150, `${String(300 - refused.length)} of 300 were answered`);
    }),
  ];
}

/** Connections and what is remembered of those that made them. */
function connectionCases(): FaultCase[] {
  return [
    ...[
      ["a hundred and eighty sockets that say nothing", ""],
      ["a hundred and eighty handshakes that stop half-way", "\x13/multistream/1.0.0\n\x07/noise\n"],
    ].map(([name = "", bytes = ""]) =>
      scene(`${name} at the port of libp2p`, async (own) => {
        const [store, honest] = [await own.store(), await own.store()];
        const sockets = [...(await openSockets(portOf(store), 90, bytes))];
        await sleep(1_100);
        sockets.push(...(await openSockets(portOf(store), 90, bytes)));
        await sleep(1_100);
        await echoes(honest, store);
        for (const socket of sockets) socket.destroy();
      }),
    ),
    scene("strangers that say 4 KiB of themselves and come and go", async (own) => {
      const store = await own.store();
      const announce = Array.from({ length: 20 }, (_, n) => `/dns4/${"a".repeat(60)}${String(n)}.example.org/tcp/1`);
      for (let n = 0; n < 8; n++) {
        const peer = await own.stranger(announce, "y".repeat(1_000));
        await peer.dial(multiaddr(tcpOf(store)), { signal: AbortSignal.timeout(8_000) });
        await sleep(60);
        await peer.stop();
      }
      const { libp2p } = inside(store);
      for (const { id, addresses, metadata, peerRecordEnvelope, protocols } of await libp2p.peerStore.all()) {
        if (id.equals(libp2p.peerId)) continue;
        assert.deepEqual([addresses.length, metadata.size, peerRecordEnvelope], [0, 0, undefined]);
        assert.ok(protocols.length <= 16);
      }
      await sleep(100);
      await libp2p.services.guard.sweep();
      await libp2p.services.guard.sweep();
      assert.equal(
        (await libp2p.peerStore.all()).filter(({ id }) => !id.equals(libp2p.peerId)).length,
        0,
        "records stay",
      );
    }),
    scene(
      "more strangers than there are places for connections",
      async (own) => {
        const [store, honest] = [await own.store(), await own.store()];
        store.setPeers([tcpOf(honest)]);
        await echoes(honest, store);
        for (let n = 0; n < MAX_INBOUND + 40; n++) {
          const peer = await own.stranger();
          await peer.dial(multiaddr(tcpOf(store)), { signal: AbortSignal.timeout(8_000) }).catch(() => undefined);
        }
        const inbound = inside(store)
          .libp2p.getConnections()
          .filter(({ direction }) => direction === "inbound");
        assert.ok(inbound.length <= MAX_INBOUND + 1, `${String(inbound.length)} connections`);
        await echoes(honest, store);
      },
      true,
    ),
  ];
}

/** Addresses that anybody can register. */
function addressCases(): FaultCase[] {
  const id = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
  const rows: [string, string][] = [
    ["a loopback address", "/ip4/127.0.0.1"],
    ["another loopback address", "/ip4/127.9.9.9"],
    ["the unspecified address", "/ip4/0.0.0.0"],
    ["a private address", "/ip4/10.1.2.3"],
    ["a home router", "/ip4/192.168.1.1"],
    ["a cloud's metadata", "/ip4/169.254.169.254"],
    ["a carrier's NAT", "/ip4/100.64.0.1"],
    ["a multicast address", "/ip4/224.0.0.1"],
    ["the broadcast address", "/ip4/255.255.255.255"],
    ["loopback of IPv6", "/ip6/::1"],
    ["an IPv4 loopback within IPv6", "/ip6/::ffff:127.0.0.1"],
    ["a private address by NAT64", "/ip6/64:ff9b::a01:203"],
    ["a loopback by 6to4", "/ip6/2002:7f00:1::1"],
    ["a unique local address", "/ip6/fd00::1"],
    ["a link-local address", "/ip6/fe80::1"],
    ["localhost by name", "/dns4/localhost"],
    ["a name below localhost", "/dns4/x.localhost"],
    ["an address as a decimal number", "/dns4/2130706433"],
    ["an address in hexadecimal", "/dns4/0x7f.1"],
    ["a name of the cluster", "/dns4/keepers"],
    ["a name of a cloud's own network", "/dns4/metadata.google.internal"],
  ];
  return [
    ...rows.map(([name, host]) =>
      scene(`${name}, registered by a stranger on a public chain`, async (own) => {
        const store = await own.store({ reach: reachOf(BASE_SEPOLIA_CHAIN_ID, {}) });
        const port = portOf(store);
        const addresses = [`${host}/tcp/${String(port)}/p2p/${id}`, `${host}/tcp/${String(port)}/http`];
        const rejected = store.setPeers(addresses);
        assert.deepEqual(rejected.map(({ address }) => address).sort(), addresses.toSorted());
        await assert.rejects(
          store.request([addresses[0] ?? ""], PROTOCOL, 1, { timeout: 2_000 }),
          /denied|may not|no valid/i,
        );
        assert.deepEqual(store.peers(), []);
      }),
    ),
    {
      name: "a public name that resolves to a private address when it is connected to",
      run: async () => {
        const policy = new DialPolicy("public", [], (_name, _options, callback) => {
          callback(null, [{ address: "10.0.0.1", family: 4 }]);
        });
        const { promise, resolve } = Promise.withResolvers<unknown>();
        policy.lookup("rebound.example", {}, (error, address) => {
          resolve(error ?? address);
        });
        assert.match(String(await promise), /resolves to 10\.0\.0\.1/);
      },
    },
    scene("a keeper of one's own network, named in the own configuration on a public chain", async (own) => {
      const keeper = await own.store();
      const store = await own.store({ reach: "public", trusted: [tcpOf(keeper)] });
      await echoes(store, keeper);
    }),
  ];
}

/** Requests for receipts. What is counted are calls of the chain. */
function receiptCases(): FaultCase[] {
  const operator = new Wallet(`0x${"11".repeat(32)}`);
  const stranger = new Wallet(`0x${"12".repeat(32)}`);
  const domain = receiptDomain(LOCAL_CHAIN_ID, `0x${"22".repeat(20)}`);
  const lease = { id: 3, fence: 2, status: "active", count: 2, nodeId: 7, taskId: 1 } as Partial<Lease> as Lease;
  const holding = { leaseId: 3, fence: 2, digest: `0x${"ab".repeat(32)}`, codec: 0x70, progress: 5_000, size: 1_000 };
  const node = { id: 7, operator: operator.address, status: "active" } as Partial<Node> as Node;
  const responder = () => {
    const calls = { count: 0 };
    // Of the lease and its node it reads once; whatever else it reads is counted.
    let known = false;
    const reader = new Proxy(
      {},
      {
        get: (_, name) => async () => {
          if (!known && name === "pin") return { number: 1 };
          if (!known && name === "leasesThatExist") return [lease];
          if (!known && name === "node") {
            known = true;
            return node;
          }
          calls.count += 1;
          throw new Error("the chain was read");
        },
      },
    ) as Session["reader"];
    const receipts = new ReceiptResponder({
      session: { reader, contracts: {} } as unknown as Session,
      store: { list: () => [] } as never,
      ...{ signer: operator, domain, nodeId: 4, maxCheckpointBytes: 1e6, disk: { look: async () => undefined } },
      logger: pino({ level: "silent" }),
      metrics: replicationMetrics(new Registry()),
    });
    return { calls, receipts };
  };
  const request = async (change: object = {}, by = operator) => ({
    ...holding,
    ...{ signature: await signReceipt(by, domain, holding, 7) },
    ...change,
  });
  const rows: [string, () => Promise<object>, RegExp][] = [
    ["without fields", async () => ({ leaseId: 1 }), /malformed/],
    ["with a field too many", () => request({ extra: 1 }), /malformed/],
    ["signed by a stranger", () => request({}, stranger), /not signed by the operator of node 7/],
    ["for another checkpoint than was signed", () => request({ progress: 6_000 }), /not signed by the operator/],
    ["with a signature of zeros", () => request({ signature: `0x${"00".repeat(65)}` }), /not signed by the operator/],
    ["under a fence that is over", () => request({ fence: 1 }), /has fence 2, not 1/],
    ["for more bytes than this node takes", () => request({ size: 1e9 }), /more than the 1000000/],
  ];
  const requester = (peer: string, address = "203.0.113.7") => ({ peer, address, prove: () => undefined });
  return [
    ...rows.map(([name, make, says]) => ({
      name: `a request for a receipt ${name}`,
      run: async () => {
        const { calls, receipts } = responder();
        const answer = await receipts.answer(await make(), requester("a"));
        assert.equal(answer.kind, "refused");
        assert.match(answer.why, says);
        assert.equal(calls.count, 0, "the chain was read for it");
      },
    })),
    {
      name: "five hundred requests for leases that do not exist, of fifty peers",
      run: async () => {
        const { calls, receipts } = responder();
        for (let n = 0; n < 500; n++) {
          const body = await (n === 0
            ? request({ leaseId: 100 })
            : Promise.resolve({ ...holding, leaseId: 100 + n, signature: `0x${"11".repeat(65)}` }));
          await receipts
            .answer(body, requester(`peer ${String(n % 50)}`, `203.0.113.${String(n % 50)}`))
            .catch(() => undefined);
        }
        assert.ok(calls.count <= 2, `the chain was read ${String(calls.count)} times`);
      },
    },
    {
      name: "a hundred requests of one peer with wrong signatures",
      run: async () => {
        const { calls, receipts } = responder();
        const body = await request({}, stranger);
        const answers = await Promise.allSettled(
          Array.from({ length: 100 }, () => receipts.answer(body, requester("a"))),
        );
        const busy = answers.filter(({ status }) => status === "rejected").length;
        assert.ok(busy >= 55, `${String(100 - busy)} signatures were checked for it`);
        assert.equal(calls.count, 0);
        // Another peer is served all the same.
        assert.equal((await receipts.answer(body, requester("b", "203.0.113.8"))).kind, "refused");
      },
    },
    {
      name: "a good request, sent again a hundred times by someone who has seen it",
      run: async () => {
        const { calls, receipts } = responder();
        const body = await request();
        await Promise.allSettled(
          Array.from({ length: 100 }, (_, n) => receipts.answer(body, requester(`p${String(n)}`))),
        );
        assert.ok(calls.count <= 25, `the chain was read ${String(calls.count)} times`);
      },
    },
    {
      name: "spot checks of content that is not pinned here",
      run: async () => {
        let read = 0;
        const store = {
          list: () => [],
          proveLeaf: async () => {
            read += 1;
            throw new CheckpointError("NOT_FOUND", "none");
          },
        };
        const spots = new SpotChecks({
          store: store as never,
          logger: pino({ level: "silent" }),
          metrics: replicationMetrics(new Registry()),
          ...{ reputation: new PeerReputation(), spotCheckMs: 1e9 },
        });
        const body = { cid: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", nonce: "ab".repeat(32) };
        const asks = Array.from({ length: 50 }, () => spots.answer(body, requester("a")));
        const busy = (await Promise.allSettled(asks)).filter(({ status }) => status === "rejected").length;
        assert.ok(busy >= 35 && read === 0, `${String(50 - busy)} answered, ${String(read)} looked up on disk`);
      },
    },
  ];
}

/** Networks larger than what one node can be connected to. */
function networkCases(): FaultCase[] {
  const many = (count: number): FaultCase =>
    scene(`${String(count)} registered peers, most of them not reachable`, async (own) => {
      const good = await Promise.all(Array.from({ length: 3 }, () => own.store()));
      const store = await own.store();
      const [first = "", ...others] = good.map(tcpOf);
      const id = (n: number): string => peerIds[n % peerIds.length] ?? "";
      const dead = Array.from({ length: count }, (_, n) => `/ip4/127.0.0.1/tcp/${String(1 + (n % 500))}/p2p/${id(n)}`);
      assert.deepEqual(store.setPeers([first, ...dead, ...others]), []);
      const end = performance.now() + 8_000;
      while (!store.peers()[0]?.connected && performance.now() < end) await sleep(50);
      assert.ok(store.peers()[0]?.connected, "the first peer of the list is not connected to");
      assert.ok(inside(store).libp2p.getConnections().length <= MAX_NEIGHBOURS);
      assert.ok(inside(store).libp2p.getDialQueue().length <= 16, "too many dials at once");
    });
  const peerIds: string[] = [];
  return [
    {
      name: "a thousand nodes of which a node has reasons to know three",
      run: async () => {
        const nodes = Array.from({ length: 1_000 }, (_, n) => ({ nodeId: n + 1, endpoint: `/${String(n + 1)}` }));
        const reasons = { holders: nodes.slice(900, 903), producers: nodes.slice(500, 501) };
        const chosen = chooseNeighbours({ nodeId: 5, ...reasons, sample: nodes });
        assert.deepEqual(chosen.slice(0, 4), ["/901", "/902", "/903", "/501"], "those with a reason are not the first");
      },
    },
    {
      name: "eleven hundred registered peers, most of them not reachable",
      timeoutMs: 40_000,
      run: async (context) => {
        const { generateKeyPair } = await import("@libp2p/crypto/keys");
        const { peerIdFromPrivateKey } = await import("@libp2p/peer-id");
        while (peerIds.length < 1_100) {
          peerIds.push(peerIdFromPrivateKey(await generateKeyPair("Ed25519")).toString());
        }
        await many(1_100).run(context);
      },
    },
  ];
}

/** The libp2p node of a store, which only tests look at. */
function inside(store: CheckpointStore): ReturnType<CheckpointStore["inside"]> {
  return store.inside();
}

/** Peers that nobody knows. */
export const strangers: FaultKind = {
  name: "strangers",
  guarantee:
    "what a stranger sends, says of itself or registers costs no call, no memory that stays, and no honest peer its place",
  cases: [
    ...portCases(),
    ...streamCases(),
    ...connectionCases(),
    ...addressCases(),
    ...receiptCases(),
    ...networkCases(),
  ],
};
