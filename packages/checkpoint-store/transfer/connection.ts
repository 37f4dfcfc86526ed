import { connect, isIPv6 } from "node:net";
import type { LookupFunction, Socket } from "node:net";

import { DrmpError } from "@verai/errors/drmp-error";
import { MAX_BLOCK_BYTES } from "../cids.ts";
import type { HttpAddress } from "./addresses.ts";
import { MAX_HEAD_BYTES, parseHead } from "./answer.ts";
import type { AnswerHead } from "./answer.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const READ_BYTES = 256 * 1024;
const USUAL_BLOCK_BYTES = 1024 * 1024;

/** A peer sent nothing for too long, or took too long altogether. */
export class StalledPeerError extends DrmpError {
  override readonly name = "StalledPeerError";

  constructor(message: string) {
    super("PEER_STALLED", message, { retryable: true });
  }
}

/** What bounds one request. */
export interface RequestLimits {
  /** Longest time without a byte, ms. */
  idleTimeout: number;
  /** Longest time for the whole answer, ms. */
  timeout: number;
  signal: AbortSignal;
  /** Called at the first byte of the answer. */
  onHeard?: () => void;
}

/** An answer. The body is valid until the next request on the same connection. */
export interface Answer {
  status: number;
  body: Uint8Array;
}

interface Pending {
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
  onHeard: (() => void) | undefined;
}

/**
 * A kept-alive HTTP/1.1 connection for blocks, one request at a time. Not node:http's client, since that hands over each
 * 64 KiB in a buffer of its own: reading into one that stays takes about a quarter of its processor time and no memory
 * that grows with speed (docs/concepts/checkpoints.md has the measurement). Any error ends the connection.
 */
export class BlockConnection {
  readonly #socket: Socket;
  readonly #authority: string;
  readonly #connectTimer: NodeJS.Timeout;
  #buffer = Buffer.allocUnsafeSlow(MAX_HEAD_BYTES);
  #length = 0;
  #head: AnswerHead | undefined;
  #pending: Pending | undefined;
  #error: Error | undefined;
  #answers = 0;

  constructor({ host, port }: HttpAddress, lookup?: LookupFunction) {
    this.#authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      ...(lookup && { lookup }),
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (count, bytes) => {
          this.#receive(bytes as Buffer, count);
          return true;
        },
      },
    });
    this.#connectTimer = setTimeout(() => {
      this.destroy(new StalledPeerError(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    }, CONNECT_TIMEOUT_MS);
    this.#socket.once("connect", () => {
      clearTimeout(this.#connectTimer);
    });
    this.#socket.on("timeout", () => {
      this.destroy(new StalledPeerError("it sends nothing"));
    });
    this.#socket.on("error", (error) => {
      this.destroy(error);
    });
    this.#socket.on("close", () => {
      this.destroy(new Error("it closed the connection"));
    });
  }

  /** Whether another request can be sent. */
  get isOpen(): boolean {
    return this.#error === undefined;
  }

  /** Answers had so far. One that fails at the first request was not closed for having been idle. */
  get answers(): number {
    return this.#answers;
  }

  /**
   * Asks for a path.
   *
   * @param authorization - value of the header of this name, if there is to be one
   * @throws {@link StalledPeerError}, MalformedAnswerError, a system error, or the signal's reason
   */
  async get(path: string, limits: RequestLimits, authorization?: string): Promise<Answer> {
    const { idleTimeout, timeout, signal, onHeard } = limits;
    signal.throwIfAborted();
    if (this.#error !== undefined) throw this.#error;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onAbort = (): void => {
      this.destroy(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      this.destroy(new StalledPeerError(`no whole answer within ${timeout} ms`));
    }, timeout);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#length = 0;
    this.#head = undefined;
    this.#pending = { resolve, reject, onHeard };
    try {
      this.#socket.setTimeout(idleTimeout);
      const header = authorization === undefined ? "" : `Authorization: ${authorization}\r\n`;
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#authority}\r\n${header}\r\n`);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#socket.setTimeout(0);
    }
  }

  /** Ends the connection; a request under way fails with this error. */
  destroy(error: Error = new Error("closed")): void {
    this.#error ??= error;
    clearTimeout(this.#connectTimer);
    this.#socket.destroy();
    this.#pending?.reject(error);
    this.#pending = undefined;
  }

  #receive(bytes: Buffer, count: number): void {
    const pending = this.#pending;
    if (pending === undefined) {
      this.destroy(new Error("it sent what was not asked for"));
      return;
    }
    pending.onHeard?.();
    try {
      this.#append(bytes, count);
      this.#head ??= parseHead(this.#buffer.subarray(0, this.#length), MAX_BLOCK_BYTES);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (this.#head === undefined) return;
    const { status, headBytes, bodyBytes, keepAlive } = this.#head;
    const whole = headBytes + bodyBytes;
    if (this.#length < whole) return;
    if (this.#length > whole) {
      this.destroy(new Error("it sent more than it said"));
      return;
    }
    this.#pending = undefined;
    this.#answers += 1;
    pending.resolve({ status, body: this.#buffer.subarray(headBytes, whole) });
    if (!keepAlive) this.destroy(new Error("it ends the connection after each answer"));
  }

  #append(bytes: Buffer, count: number): void {
    const length = this.#length + count;
    const most = MAX_HEAD_BYTES + MAX_BLOCK_BYTES;
    if (length > most) throw new Error("it sent more than a block has at most");
    if (length > this.#buffer.byteLength) {
      const usual = MAX_HEAD_BYTES + USUAL_BLOCK_BYTES;
      const larger = Buffer.allocUnsafeSlow(length > usual ? most : usual);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length, 0, count);
    this.#length = length;
  }
}
