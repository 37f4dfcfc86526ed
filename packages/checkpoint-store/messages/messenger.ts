import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";

import { Budget } from "@verai/system/budget";
import { CheckpointError } from "../errors.ts";
import type { Log } from "../log.ts";
import { orAborted } from "../signals.ts";
import { addressOf } from "../strangers.ts";
import { jsonStream } from "./frames.ts";
import type { Json, JsonStream } from "./frames.ts";

const DEFAULT_MAX_BYTES = 256 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_HANDLER_TIMEOUT_MS = 60_000;
/** Time for a request to arrive once its stream is open. */
const READ_TIMEOUT_MS = 10_000;
/** Requests of one protocol answered at a time, of one peer and of all; more are told to come later. */
const PER_PEER = 8;
const PER_PROTOCOL = 64;
/** The same, read or answered: what is read stays in memory until it is whole. */
const READ_PER_PEER = 32;
const READ_PER_ADDRESS = 64;
const READ_PER_PROTOCOL = 128;
/** Requests each second, and at once, of one peer and of one address, which many peers may share; more are told to come later. */
const PEER_RATE = { perSecond: 20, burst: 100 };
const ADDRESS_RATE = { perSecond: 200, burst: 1_000 };
/** Requests too many after which a peer's connection is ended; it may come back. */
const EXCESS_RATE = { perSecond: 5, burst: 400 };
/** Streams of one protocol that a connection may have open; beyond, they are reset unheard. */
const STREAMS_PER_CONNECTION = 64;

/** Who asks. The peer id is proved by the connection's encryption; addresses are not. */
export interface Requester {
  peer: string;
  /** Where the connection comes from, an IP address. */
  address: string;
  /** To be called when the request has shown a reason for this peer to be here: its connections are then kept before others'. */
  prove: () => void;
  /** Aborts when the requester has gone, the time is over, or the store stops. */
  signal: AbortSignal;
}

/**
 * Answers a request. `body` comes from a stranger: check its shape. A {@link CheckpointError} that it throws is told to
 * the requester, code and message; of any other error the requester learns only that there was one.
 */
export type MessageHandler = (body: unknown, requester: Requester) => Promise<Json> | Json;

/** What bounds the answers to one protocol. */
export interface HandleOptions {
  /** Longest request and answer, bytes of JSON. Default 256 KiB. */
  maxBytes?: number;
  /** Time for reading a request, answering it and sending the answer, ms. Default 60 s. */
  timeout?: number;
}

/** What bounds a request. */
export interface RequestOptions {
  /** Longest request and answer, bytes of JSON. Default 256 KiB. */
  maxBytes?: number;
  /** Time for connecting, asking and getting the whole answer, ms. Default 10 s. */
  timeout?: number;
  /** Ends the request; it then throws the signal's reason. */
  signal?: AbortSignal;
}

type Answer = { ok: true; body: Json } | { ok: false; code: string; message: string };

interface Handled {
  handler: MessageHandler;
  options: HandleOptions;
  /** The requests being read or answered. */
  open: Set<{ readonly peer: string; readonly address: string }>;
  /** Those of them that are being answered. */
  running: Set<{ readonly peer: string; readonly address: string }>;
}

/**
 * One request, one answer, in JSON, each on a libp2p stream of its own: the requester sends a message and closes its end,
 * the other side answers `{"ok":true,"body":…}` or `{"ok":false,"code":…,"message":…}` and closes its own.
 */
export class Messenger {
  readonly #log: Log;
  readonly #handled = new Map<string, Handled>();
  readonly #peerRate = new Budget(PEER_RATE);
  readonly #addressRate = new Budget(ADDRESS_RATE);
  readonly #excess = new Budget(EXCESS_RATE);
  #network: { libp2p: Libp2p; stopped: AbortController; prove: (peer: string) => void } | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Answers requests of a protocol from now on; at once if started, else from {@link start} on. Replaces an earlier handler. */
  async handle(protocol: string, handler: MessageHandler, options: HandleOptions = {}): Promise<void> {
    this.#handled.set(protocol, { handler, options, open: new Set(), running: new Set() });
    if (this.#network !== undefined) await this.#register(this.#network.libp2p, protocol);
  }

  /** Begins to answer. @param prove - told of peers whose requests had a reason */
  async start(libp2p: Libp2p, prove: (peer: string) => void = () => undefined): Promise<void> {
    this.#network = { libp2p, stopped: new AbortController(), prove };
    for (const protocol of this.#handled.keys()) await this.#register(libp2p, protocol);
  }

  /** Ends requests and answers under way with `reason`. What is handled is handled again after the next start. */
  stop(reason: Error): void {
    this.#network?.stopped.abort(reason);
    this.#network = undefined;
  }

  /**
   * Asks a peer and waits for its answer.
   *
   * @param peer - peer id of a peer that is connected, or its multiaddrs, each ending with the peer id
   * @throws {@link CheckpointError} `UNREACHABLE`, `UNSUPPORTED`, `TIMEOUT`, `BAD_MESSAGE`, `REFUSED`, `BUSY`,
   * `NOT_STARTED`; the reason of the caller's signal
   */
  async request(
    peer: string | readonly string[],
    protocol: string,
    body: Json,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const network = this.#network;
    if (network === undefined) {
      throw new CheckpointError("NOT_STARTED", `Cannot ask for ${protocol}: the checkpoint store is not running`);
    }
    const named = typeof peer === "string" ? peer : peer.join(",");
    const { timeout = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
    const clock = AbortSignal.timeout(timeout);
    const ends = [clock, network.stopped.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = AbortSignal.any(ends);
    let stream: Stream | undefined;
    try {
      signal.throwIfAborted();
      stream = await this.#open(network.libp2p, peer, protocol, signal);
      const answer = await orAborted(exchange(stream, body, maxBytes, signal), signal);
      return parseAnswer(answer, named, protocol);
    } catch (error) {
      stream?.abort(error instanceof Error ? error : new Error(String(error)));
      options.signal?.throwIfAborted();
      network.stopped.signal.throwIfAborted();
      if (clock.aborted) {
        const what = stream === undefined ? "was not reached" : "did not answer";
        throw new CheckpointError(
          "TIMEOUT",
          `Peer ${named} ${what} within ${timeout} ms (${protocol}): ask another one, or again later`,
          { cause: error },
        );
      }
      throw explain(error, named, protocol, stream !== undefined);
    }
  }

  async #open(
    libp2p: Libp2p,
    peer: string | readonly string[],
    protocol: string,
    signal: AbortSignal,
  ): Promise<Stream> {
    const target = toTarget(peer);
    // libp2p gives up a dial on its own signal, yet not always at once
    const opening = libp2p.dialProtocol(target, protocol, { signal });
    opening.then(
      (late) => {
        if (signal.aborted) late.abort(new Error("too late"));
      },
      () => undefined,
    );
    return orAborted(opening, signal);
  }

  async #register(libp2p: Libp2p, protocol: string): Promise<void> {
    const answer = (stream: Stream, connection: Connection): void => {
      void this.#answer(protocol, stream, connection);
    };
    await libp2p.handle(protocol, answer, { maxInboundStreams: STREAMS_PER_CONNECTION, force: true });
  }

  async #answer(protocol: string, stream: Stream, connection: Connection): Promise<void> {
    const handled = this.#handled.get(protocol);
    const network = this.#network;
    if (handled === undefined || network === undefined) {
      stream.abort(new Error("not handled"));
      return;
    }
    const { maxBytes = DEFAULT_MAX_BYTES, timeout = DEFAULT_HANDLER_TIMEOUT_MS } = handled.options;
    const peer = connection.remotePeer.toString();
    const gone = new AbortController();
    const onClose = (): void => {
      gone.abort(new Error(`Peer ${peer} has gone`));
    };
    stream.addEventListener("close", onClose, { once: true });
    const signal = AbortSignal.any([gone.signal, network.stopped.signal, AbortSignal.timeout(timeout)]);
    const requester: Requester = {
      ...{ peer, address: addressOf(connection.remoteAddr), signal },
      prove: () => {
        network.prove(peer);
      },
    };
    try {
      const messages = jsonStream(stream, maxBytes);
      const answer = await this.#work(protocol, handled, messages, requester);
      await orAborted(messages.write(answer, signal), signal);
      await stream.close({ signal });
      if (!answer.ok && answer.code === "BUSY" && !this.#excess.take(peer)) {
        connection.abort(new Error("too many requests"));
      }
    } catch (error) {
      this.#log.debug({ protocol, peer, err: error }, "A request could not be answered");
      stream.abort(error instanceof Error ? error : new Error(String(error)));
    } finally {
      stream.removeEventListener("close", onClose);
    }
  }

  /** Reads and answers a request, unless this peer, its address or all have too many under way. */
  async #work(protocol: string, handled: Handled, messages: JsonStream, requester: Requester): Promise<Answer> {
    const { open, running } = handled;
    const { peer, address, signal } = requester;
    const counted = { peer, address };
    // Before anything is read: what is read stays in memory until it is whole.
    const isFull =
      open.size >= READ_PER_PROTOCOL ||
      count(open, (other) => other.peer === peer) >= READ_PER_PEER ||
      count(open, (other) => other.address === address) >= READ_PER_ADDRESS;
    if (isFull) return { ok: false, code: "BUSY", message: `${open.size} requests are being read or answered` };
    if (!this.#peerRate.take(peer) || !this.#addressRate.take(address)) {
      return { ok: false, code: "BUSY", message: `more than ${PEER_RATE.perSecond} requests a second` };
    }
    open.add(counted);
    try {
      const body = await readInTime(messages, signal);
      if (running.size >= PER_PROTOCOL || count(running, (other) => other.peer === peer) >= PER_PEER) {
        return { ok: false, code: "BUSY", message: `${running.size} requests are being answered` };
      }
      running.add(counted);
      return { ok: true, body: await orAborted(Promise.resolve(handled.handler(body, requester)), signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CheckpointError) return { ok: false, code: error.code, message: error.message };
      this.#log.error({ protocol, peer, err: error }, "Answering a request failed");
      return { ok: false, code: "FAILED", message: "it could not answer" };
    } finally {
      running.delete(counted);
      open.delete(counted);
    }
  }
}

function count<T>(all: Iterable<T>, isCounted: (each: T) => boolean): number {
  let sum = 0;
  for (const each of all) if (isCounted(each)) sum += 1;
  return sum;
}

async function readInTime(messages: JsonStream, signal: AbortSignal): Promise<unknown> {
  const clock = AbortSignal.timeout(READ_TIMEOUT_MS);
  const either = AbortSignal.any([signal, clock]);
  try {
    return await orAborted(messages.read(either), either);
  } catch (error) {
    if (clock.aborted && !signal.aborted) {
      throw new CheckpointError("BAD_MESSAGE", `The message did not arrive within ${READ_TIMEOUT_MS} ms`, {
        cause: error,
      });
    }
    throw error;
  }
}

async function exchange(stream: Stream, body: Json, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  const messages = jsonStream(stream, maxBytes);
  await messages.write(body, signal);
  await stream.close({ signal });
  return messages.read(signal);
}

function parseAnswer(answer: unknown, peer: string, protocol: string): unknown {
  if (typeof answer !== "object" || answer === null || !("ok" in answer)) {
    throw new CheckpointError("BAD_MESSAGE", `Peer ${peer} did not answer in the way of ${protocol}: ask another one`);
  }
  if (answer.ok === true && "body" in answer) return answer.body;
  const { code, message } = answer as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message.slice(0, 500) : "no reason given";
  if (code === "BUSY") throw new CheckpointError("BUSY", `Peer ${peer} is busy (${text}): ask again later`);
  throw new CheckpointError("REFUSED", `Peer ${peer} refused (${protocol}): ${text}`, {
    ...(typeof code === "string" && { peerCode: code.slice(0, 64) }),
  });
}

function toTarget(peer: string | readonly string[]): ReturnType<typeof peerIdFromString> | Multiaddr[] {
  const texts = typeof peer === "string" ? peer.split(",") : peer;
  const [only = ""] = texts;
  try {
    if (!only.startsWith("/")) return peerIdFromString(only);
    const addresses = texts.map((text) => multiaddr(text));
    const usable = addresses.filter((each) => each.getComponents().some(({ name }) => name === "p2p"));
    if (usable.length === 0) throw new TypeError("no address ends with /p2p/<peer id>");
    return usable;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(
      "UNREACHABLE",
      `"${texts.join(",")}" is neither a peer id nor multiaddrs that end with one (${reason})`,
      { cause: error },
    );
  }
}

function explain(error: unknown, peer: string, protocol: string, opened: boolean): unknown {
  if (error instanceof CheckpointError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "UnsupportedProtocolError") {
    return new CheckpointError(
      "UNSUPPORTED",
      `Peer ${peer} does not speak ${protocol}: its software is older, or of another kind`,
      { cause: error },
    );
  }
  return new CheckpointError(
    "UNREACHABLE",
    opened
      ? `The connection to peer ${peer} broke before it answered (${reason}): ask again`
      : `Cannot connect to peer ${peer} (${reason}): check that it runs and that its addresses are right`,
    { cause: error },
  );
}
