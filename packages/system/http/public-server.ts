import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";

import { Budget } from "../budget.ts";
import { closeServer, listen } from "./listen.ts";
import { refuse } from "./server.ts";

/** Time for a request to arrive, milliseconds; connections. */
const ARRIVE_MS = 10_000;
const MAX_CONNECTIONS = 512;

/** A request that any web page may make. */
export interface PublicRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty for `GET`. */
  readonly body: Buffer;
  /** Who asks, as limits count it; see {@link clientOf}. */
  readonly client: string;
  readonly response: ServerResponse;
}

/** What bounds a server of such requests. */
export interface PublicServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Proxies in front that add to `X-Forwarded-For`. */
  readonly proxies: number;
  /** Bytes of a request's body at most. */
  readonly maxBody: number;
  /** Requests of an address each second, and at once; of all at once. */
  readonly perSecond: number;
  readonly burst: number;
  readonly atOnce: number;
  readonly handle: (request: PublicRequest) => Promise<void> | void;
  readonly onError: (error: unknown) => void;
}

/**
 * Serves `GET` and `POST` to web pages of any origin, without credentials: bodies, rates and what is answered at once are bounded,
 * and errors of the handler are answered with 500.
 */
export async function servePublic(options: PublicServerOptions): Promise<{ url: string; close: () => Promise<void> }> {
  const { host, port, proxies, maxBody, perSecond, burst, atOnce, handle, onError } = options;
  const budget = new Budget({ perSecond, burst });
  let open = 0;
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const client = clientOf(incoming, proxies);
    const { method } = incoming;
    if (method === "OPTIONS") return preflight(response);
    if (!budget.take(client)) {
      response.setHeader("retry-after", "1");
      return refuse(response, 429, `more than ${String(perSecond)} requests a second: ask again in a second`);
    }
    if (open >= atOnce) return refuse(response, 503, "too many requests are being answered: ask again in a second");
    if (method !== "GET" && method !== "POST") return refuse(response, 405, "only GET and POST are answered", true);
    open += 1;
    try {
      const body = method === "GET" ? Buffer.alloc(0) : await bodyOf(incoming, maxBody);
      if (body === undefined) return refuse(response, 413, `a request has at most ${String(maxBody)} bytes`, true);
      const [path = "/", query] = (incoming.url ?? "/").split("?", 2);
      await handle({ method, path, query: new URLSearchParams(query), body, client, response });
    } finally {
      open -= 1;
    }
  };
  const server = createServer(
    { headersTimeout: ARRIVE_MS, requestTimeout: ARRIVE_MS, keepAliveTimeout: 30_000, maxHeaderSize: 8 * 1024 },
    (incoming, response) => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("x-content-type-options", "nosniff");
      response.setHeader("cache-control", "no-store");
      answer(incoming, response).catch((error: unknown) => {
        onError(error);
        refuse(response, 500, "the answer could not be made; the log says why");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  const url = await listen(server, { host, port }, onError);
  return { url, close: () => closeServer(server, 1_000) };
}

function preflight(response: ServerResponse): void {
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
  });
  response.end();
}

/** Who asks, as limits count it: an address, of IPv6 its network of 64 bits. Pure. */
export function clientOf(
  {
    socket,
    headers,
  }: Pick<IncomingMessage, "headers"> & { readonly socket: { readonly remoteAddress?: string | undefined } },
  proxies: number,
): string {
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  // Only what our own proxies have added counts: anybody may write what stands before.
  const named = proxies === 0 ? undefined : forwarded.at(-proxies);
  const from = (named ?? socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  return isIPv6(from) ? networkOf(from) : from;
}

/** The first 64 bits of an IPv6 address. */
function networkOf(text: string): string {
  const [head = "", tail] = (text.split("%")[0] ?? "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  const groups = [...before, ...zeros, ...after].slice(0, 4).map((each) => each.replace(/^0+(?=.)/, "").toLowerCase());
  return `${groups.join(":")}::/64`;
}

/** The body; undefined if it is too long. */
async function bodyOf(incoming: IncomingMessage, maxBody: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBody) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
