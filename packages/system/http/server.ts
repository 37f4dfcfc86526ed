import { createServer, STATUS_CODES } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";

import { Budget } from "../budget.ts";
import { chooseVictim } from "./connections.ts";
import type { ConnectionFacts } from "./connections.ts";

/** What bounds an HTTP server that anybody may connect to. Times in milliseconds. */
export interface HttpLimits {
  /** Connections at a time; for a new one, a silent or idle one is ended. */
  readonly maxConnections: number;
  /** Request line and headers, bytes. */
  readonly headerBytes: number;
  /** From the connection, or the end of the request before, to the end of the headers: also for the first byte. */
  readonly headersMs: number;
  /** Without a request on a connection that has had one. */
  readonly idleMs: number;
  /** Without a byte moving in the middle of an answer. */
  readonly stallMs: number;
  /** For a whole answer. */
  readonly answerMs: number;
  /** Requests sent on a connection before their answers; a connection with more is ended. */
  readonly pipelined: number;
  /** Requests of an address each second, and at once; more are answered with 429. */
  readonly perSecond: number;
  readonly burst: number;
}

/** A request that passed the guard. */
export interface GuardedRequest extends Target {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

interface Connection extends ConnectionFacts {
  proven: boolean;
  usedAt: number;
  open: number;
}

const MAX_BODY_BYTES = 64 * 1024;
const MAX_REQUESTS_PER_CONNECTION = 100_000;

/**
 * A server of plain `GET` and `HEAD` requests that nothing from outside can end, block or make grow: what is no such
 * request is answered with 400, 405, 408, 413, 414, 417, 429 or 431 and costs nothing more; connections, time and
 * memory are bounded. Errors of the handler are answered with 500.
 *
 * @param handle - answers what passed the guard; need not answer `HEAD` differently
 */
export function createGuardedServer(
  limits: HttpLimits,
  handle: (request: GuardedRequest) => Promise<void> | void,
  onError: (error: unknown) => void = () => undefined,
): Server {
  const connections = new Map<Socket, Connection>();
  const budget = new Budget({ perSecond: limits.perSecond, burst: limits.burst });

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.headersMs,
    keepAliveTimeout: limits.idleMs,
    // Node looks for late requests only every 30 s unless told otherwise.
    connectionsCheckingInterval: Math.min(500, limits.headersMs),
    noDelay: true,
  });
  server.timeout = limits.stallMs;
  // A sender that ends its half after the request still gets the answer; Node knows the property, its types do not.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  // The handlers below are all that Node would otherwise do by itself, or not at all.
  server.on("connection", admit);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response);
  });
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response);
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    refuse(response, 417, "no such expectation is met");
  });
  server.on("connect", (_request, socket: Duplex) => {
    socket.on("error", () => undefined);
    refuseRaw(socket, 405, "allow: GET, HEAD\r\n");
  });
  server.on("dropRequest", (_request, socket: Duplex) => {
    socket.destroy();
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    refuseRaw(socket, statusOf(error.code));
  });
  return server;

  function admit(socket: Socket): void {
    socket.on("error", () => undefined);
    if (connections.size >= limits.maxConnections) {
      const now = performance.now();
      const facts = [...connections].map(([each, known]) => [each, { ...known, busy: known.open > 0 }] as const);
      const victim = chooseVictim(facts, now);
      if (victim === undefined) {
        socket.destroy();
        return;
      }
      connections.delete(victim);
      victim.destroy();
    }
    const address = socket.remoteAddress ?? "";
    connections.set(socket, { address, proven: false, busy: false, usedAt: performance.now(), open: 0 });
    socket.once("close", () => {
      connections.delete(socket);
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    connection.open += 1;
    if (connection.open > limits.pipelined) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => {
      response.destroy();
    }, limits.answerMs);
    timer.unref();
    response.once("close", () => {
      clearTimeout(timer);
      connection.open -= 1;
      connection.proven = true;
      connection.usedAt = performance.now();
    });
    try {
      const target = accept(request, response, connection.address);
      if (target !== undefined) await handle({ ...target, request, response, socket });
    } catch (error) {
      onError(error);
      refuse(response, 500, "the answer could not be made; the log says why");
    }
  }

  /** Answers what is no proper request. @returns What is asked for, if it is one. */
  function accept(request: IncomingMessage, response: ServerResponse, address: string): Target | undefined {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405, "only GET and HEAD are answered", true);
    }
    const length = request.headers["content-length"];
    if (Number(length ?? 0) > MAX_BODY_BYTES) return refuse(response, 413, "a request has no body here", true);
    if (request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0")) {
      return refuse(response, 400, "a request has no body here", true);
    }
    const target = parseTarget(request.url ?? "");
    if ("status" in target) return refuse(response, target.status, target.why, true);
    if (!budget.take(address)) {
      response.setHeader("retry-after", "1");
      return refuse(response, 429, `more than ${limits.perSecond} requests a second: ask again in a second`);
    }
    return target;
  }
}

/** Answers with a line of text; ends a connection on which nothing has been answered if that is too late. */
export function refuse(response: ServerResponse, status: number, why: string, close = false): undefined {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (close) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(why) + 1 });
  response.end(`${why}\n`);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Answers a connection whose request Node could not read, and ends it. */
function refuseRaw(socket: Duplex, status: number, headers = ""): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const reason = STATUS_CODES[status] ?? "";
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${headers}content-length: 0\r\nconnection: close\r\n\r\n`, () => {
    socket.destroy();
  });
}

function statusOf(code: string | undefined): number {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return 413;
    default:
      return 400;
  }
}

/** What a request asks for. */
interface Target {
  /** As it was sent: begins with a slash, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Why a request's target is refused. */
interface TargetRefusal {
  readonly status: 400 | 414;
  readonly why: string;
}

/** Longest path with its query, bytes. */
const MAX_TARGET_BYTES = 2_048;

/**
 * Takes a request's target apart. Only what a page of ours can have is taken: a path in
 * visible ASCII, with whole percent-encodings of UTF-8 and without NUL. Pure; never throws; O(length).
 *
 * @param text - as it stands in the request line, from anybody
 */
export function parseTarget(text: string): Target | TargetRefusal {
  if (text.length > MAX_TARGET_BYTES) {
    return { status: 414, why: `the request target has more than ${MAX_TARGET_BYTES} bytes` };
  }
  if (!text.startsWith("/")) return { status: 400, why: "the request target has to be a path: this is no proxy" };
  if (!/^[\x21-\x7e]*$/.test(text) || /[\\#<>"^`{|}]/.test(text)) {
    return { status: 400, why: "the request target has characters that a URL must encode" };
  }
  try {
    if (decodeURIComponent(text).includes("\0")) return { status: 400, why: "the request target contains NUL" };
  } catch {
    return { status: 400, why: "the request target has an invalid percent-encoding" };
  }
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)) };
}
