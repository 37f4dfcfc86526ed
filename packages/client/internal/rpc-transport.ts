import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIPv4 } from "node:net";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createUnzip } from "node:zlib";

import { DrmpError } from "@verai/errors/drmp-error";
import { ChainError, type RpcFailure } from "../errors.ts";
import { retryAfterMs, statusFailure, transportFailure, wordsOf } from "./rpc-failure.ts";

/** Bounds of one HTTP exchange. */
export interface TransportOptions {
  /** Time for the whole exchange, from the first byte sent to the last received, milliseconds. */
  readonly timeoutMs: number;
  /** Maximum bytes of an answer, as sent and as unpacked. */
  readonly maxBytes: number;
  /** Maximum connections at once. */
  readonly maxSockets: number;
}

/** Longest time that the body of an HTTP error is waited for. */
const ERROR_BODY_MS = 1000;

/** An exchange that brought no answer. */
export class ExchangeError extends DrmpError {
  override readonly name = "ExchangeError";
  readonly reason: RpcFailure;
  readonly pauseMs: number | undefined;
  /** Whether the endpoint may have got the request. */
  readonly sent: boolean;
  /** Whether a connection was used that the other side had closed meanwhile. */
  readonly idle: boolean;

  constructor(
    reason: RpcFailure,
    message: string,
    more: { pauseMs?: number | undefined; sent?: boolean; idle?: boolean } = {},
  ) {
    super("EXCHANGE_FAILED", message, { retryable: true });
    this.reason = reason;
    this.pauseMs = more.pauseMs;
    this.sent = more.sent ?? true;
    this.idle = more.idle ?? false;
  }
}

/**
 * Posts JSON to one endpoint and reads the JSON that it answers with.
 *
 * Follows no redirections (a request would be shown to somebody whom nobody has named), takes no answer with a status
 * other than 200, none that is longer than allowed and none that is not complete in time. A proxy that `HTTPS_PROXY`,
 * `HTTP_PROXY` and `NO_PROXY` name is used, except for this machine itself.
 */
export class Transport {
  readonly #url: URL;
  readonly #options: TransportOptions;
  readonly #agent: HttpAgent;

  /** @throws ChainError `PROXY_UNSUPPORTED` where a proxy is configured that this version of Node cannot use. */
  constructor(url: URL, options: TransportOptions) {
    this.#url = url;
    this.#options = options;
    const proxyEnv = proxyFor(url, process.env);
    if (proxyEnv) requireProxySupport(process.versions.node);
    const agent = { keepAlive: true, maxSockets: options.maxSockets, ...(proxyEnv && { proxyEnv }) };
    this.#agent = url.protocol === "https:" ? new HttpsAgent(agent) : new HttpAgent(agent);
  }

  /**
   * @param signal Ends the exchange.
   * @param again Whether it may be sent once more where a kept connection turns out to be closed by the other side.
   * @returns The answer, parsed.
   * @throws {@link ExchangeError}.
   */
  async post(body: string, signal: AbortSignal, again: boolean): Promise<unknown> {
    try {
      return await this.#exchange(body, signal);
    } catch (error) {
      if (!again || !(error instanceof ExchangeError) || !error.idle) throw error;
      return this.#exchange(body, signal);
    }
  }

  async #exchange(body: string, signal: AbortSignal): Promise<unknown> {
    const exchange = Promise.withResolvers<string>();
    let request: ClientRequest | undefined;
    let connected = false;
    const fail = (failure: ExchangeError): void => {
      exchange.reject(failure);
      request?.destroy();
    };
    const timer = setTimeout(() => {
      const what = `no complete answer within ${String(this.#options.timeoutMs)} ms`;
      fail(new ExchangeError("timeout", what, { sent: connected }));
    }, this.#options.timeoutMs);
    const onAbort = (): void => {
      fail(new ExchangeError("connection", "the provider was closed", { sent: connected }));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      request = (this.#url.protocol === "https:" ? httpsRequest : httpRequest)(this.#url, {
        method: "POST",
        agent: this.#agent,
        headers: {
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(body)),
          accept: "application/json",
          "accept-encoding": "gzip, identity;q=0.5",
        },
      });
      request.on("socket", (socket) => {
        connected = !socket.connecting;
        if (!connected) socket.once("connect", () => (connected = true));
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        const reason = transportFailure(error) ?? "connection";
        const idle = request?.reusedSocket === true && (error.code === "ECONNRESET" || error.code === "EPIPE");
        fail(new ExchangeError(reason, error.code ?? "the connection broke", { sent: connected, idle }));
      });
      request.on("response", (response) => {
        this.#read(response).then(exchange.resolve, fail);
      });
      request.end(body);
      return parse(await exchange.promise);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #read(response: IncomingMessage): Promise<string> {
    const status = response.statusCode ?? 0;
    if (status === 200) return this.#body(response);
    // The status says it; its body is waited for only briefly.
    const timer = setTimeout(() => response.destroy(), Math.min(ERROR_BODY_MS, this.#options.timeoutMs / 2));
    const text = await this.#body(response)
      .catch(() => "")
      .finally(() => {
        clearTimeout(timer);
      });
    const pauseMs = retryAfterMs(response.headers["retry-after"], Date.now());
    const said = status >= 400 ? wordsIn(text) : status >= 300 ? "a redirection, which is not followed" : "";
    throw new ExchangeError(statusFailure(status), `HTTP ${String(status)}${said === "" ? "" : `: ${said}`}`, {
      pauseMs,
    });
  }

  /** Reads a body to its end or to the bound. */
  async #body(response: IncomingMessage): Promise<string> {
    const { maxBytes } = this.#options;
    const chunks: Buffer[] = [];
    let [received, unpacked] = [0, 0];
    const tooLarge = (): ExchangeError =>
      new ExchangeError("too-large", `an answer of more than ${String(maxBytes)} bytes`);
    const declared = Number(response.headers["content-length"] ?? 0);
    if (declared > maxBytes) throw tooLarge();
    const done = Promise.withResolvers<undefined>();
    const broken = (): void => {
      done.reject(new ExchangeError("connection", "the answer was cut off"));
    };
    response.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) done.reject(tooLarge());
    });
    response.on("error", broken);
    response.on("aborted", broken);
    const source = unpack(response);
    if (!source) throw new ExchangeError("server", "an answer in an encoding that was not asked for");
    source.on("data", (chunk: Buffer) => {
      unpacked += chunk.length;
      if (unpacked > maxBytes) done.reject(tooLarge());
      else chunks.push(chunk);
    });
    source.on("end", () => {
      done.resolve(undefined);
    });
    source.on("error", () => {
      done.reject(new ExchangeError("server", "an answer that cannot be unpacked"));
    });
    try {
      await done.promise;
    } catch (error) {
      response.destroy();
      if (source !== response) source.destroy();
      throw error;
    }
    return Buffer.concat(chunks).toString("utf8");
  }
}

function unpack(response: IncomingMessage): Readable | undefined {
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return response;
  if (encoding === "gzip" || encoding === "x-gzip" || encoding === "deflate") return response.pipe(createUnzip());
  return encoding === "br" ? response.pipe(createBrotliDecompress()) : undefined;
}

function parse(text: string): unknown {
  if (text.trim() === "") throw new ExchangeError("server", "an empty answer");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ExchangeError("server", `an answer that is no JSON${/^\s*</.test(text) ? " but a page of HTML" : ""}`);
  }
}

/** What the body of an error says: the words of a JSON-RPC error, or a short text; of a page nothing. */
function wordsIn(body: string): string {
  if (/^\s*</.test(body)) return "";
  try {
    const [first] = [JSON.parse(body) as unknown].flat();
    const error = typeof first === "object" && first !== null && "error" in first ? first.error : first;
    return wordsOf(error);
  } catch {
    return wordsOf(body);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment's proxy settings as far as they concern a URL; undefined if it is reached directly. This machine
 * itself always is.
 */
export function proxyFor(url: URL, environment: Environment): Record<string, string> | undefined {
  if (isLoopback(url.hostname)) return undefined;
  const wanted = url.protocol === "https:" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  const names = [...wanted, "no_proxy", "NO_PROXY"];
  const found = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return found.some(([name]) => wanted.includes(name)) ? Object.fromEntries(found) : undefined;
}

/** @throws ChainError where this version of Node knows no proxies. */
export function requireProxySupport(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)) return;
  throw new ChainError(
    "PROXY_UNSUPPORTED",
    false,
    `HTTPS_PROXY or HTTP_PROXY is set, but Node ${version} cannot use a proxy; use Node 24.5 or later, or name the endpoint's host in NO_PROXY.`,
  );
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return (
    host === "localhost" || host.endsWith(".localhost") || host === "::1" || (isIPv4(host) && host.startsWith("127."))
  );
}
