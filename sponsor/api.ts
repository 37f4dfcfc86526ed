import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isIPv6 } from "node:net";

import { toQuantity } from "ethers";
import { z } from "zod";

import { Budget } from "@verai/system/budget";
import { refuse, sendJson } from "@verai/system/http/server";
import { RPC_CODES, SponsorError } from "./errors.ts";
import { ENTRY_POINT, address, operation } from "./operation.ts";
import type { Sponsor } from "./sponsor.ts";

/** Bytes of a request at most. */
const MAX_BODY = 96 * 1024;
/** Time for a request to arrive, milliseconds; connections and requests at once. */
const ARRIVE_MS = 10_000;
const MAX_CONNECTIONS = 512;
const AT_ONCE = 32;
/** Requests of an address each second, and at once. */
const PER_SECOND = 5;
const BURST = 60;

const hash = z.string().regex(/^0x[0-9a-fA-F]{64}$/);
const chainId = z.union([z.string().regex(/^0x[0-9a-fA-F]{1,16}$/), z.number().int()]).transform(Number);
const request = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string().max(100), z.number(), z.null()]).default(null),
  method: z.string().max(64),
  params: z.array(z.unknown()).max(8).default([]),
});
const sponsoring = z.tuple([operation, address, chainId], z.unknown());
const sending = z.tuple([operation, address], z.unknown());

/** What the endpoint serves. */
export interface ApiOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Proxies in front that add to `X-Forwarded-For`. */
  readonly proxies: number;
  readonly chainId: number;
  readonly sponsor: Pick<Sponsor, "estimate" | "stub" | "sponsor" | "send" | "receipt">;
  /** What `GET /status` tells. */
  readonly status: () => Promise<object>;
  readonly onAnswer: (method: string, code: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Serves the paymaster (ERC-7677) and the relay (ERC-7769) to anybody's wallet: an allow-list of methods. */
export async function serveSponsor(options: ApiOptions): Promise<{ url: string; close: () => Promise<void> }> {
  const budget = new Budget({ perSecond: PER_SECOND, burst: BURST });
  let open = 0;
  const server = createServer(
    { headersTimeout: ARRIVE_MS, requestTimeout: ARRIVE_MS, keepAliveTimeout: 30_000, maxHeaderSize: 8 * 1024 },
    (incoming, response) => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("x-content-type-options", "nosniff");
      response.setHeader("cache-control", "no-store");
      void (async () => {
        const client = clientOf(incoming, options.proxies);
        if (incoming.method === "OPTIONS") return preflight(response);
        if (!budget.take(client)) {
          response.setHeader("retry-after", "1");
          return refuse(response, 429, `more than ${String(PER_SECOND)} requests a second: ask again in a second`);
        }
        if (open >= AT_ONCE)
          return refuse(response, 503, "too many requests are being answered: ask again in a second");
        open += 1;
        try {
          if (incoming.method === "GET" && incoming.url === "/status") {
            return sendJson(response, 200, await options.status());
          }
          if (incoming.method !== "POST") return refuse(response, 405, "POST JSON-RPC, or GET /status");
          const body = await bodyOf(incoming);
          if (body === undefined) return refuse(response, 413, `a request has at most ${String(MAX_BODY)} bytes`, true);
          return sendJson(response, 200, await answer(options, body, client));
        } finally {
          open -= 1;
        }
      })().catch((error: unknown) => {
        options.onError(error);
        refuse(response, 500, "the answer could not be made; the log says why");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      server.on("error", options.onError);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
        setTimeout(() => {
          server.closeAllConnections();
        }, 1_000).unref();
      }),
  };
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
async function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

async function answer(options: ApiOptions, body: string, client: string): Promise<object> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return failed(null, RPC_CODES.parse, "The request is no JSON.");
  }
  const parsed = request.safeParse(json);
  if (!parsed.success)
    return failed(null, RPC_CODES.request, `The request does not fit: ${z.prettifyError(parsed.error)}`);
  const { id, method, params } = parsed.data;
  try {
    const result = await call(options, method, params, client);
    options.onAnswer(METHODS.has(method) ? method : "other", "ok");
    return { jsonrpc: "2.0", id, result };
  } catch (error) {
    if (error instanceof z.ZodError) {
      options.onAnswer(method, "PARAMETERS");
      return failed(id, RPC_CODES.parameters, `The parameters do not fit: ${z.prettifyError(error)}`);
    }
    if (error instanceof SponsorError) {
      options.onAnswer(METHODS.has(method) ? method : "other", error.code);
      return failed(id, error.rpc, error.message, { code: error.code, retryable: error.retryable });
    }
    options.onError(error);
    options.onAnswer(method, "INTERNAL");
    return failed(id, RPC_CODES.internal, "The answer could not be made now; ask again later.");
  }
}

const METHODS = new Set([
  ...["eth_chainId", "eth_supportedEntryPoints", "eth_estimateUserOperationGas", "eth_sendUserOperation"],
  ...["eth_getUserOperationReceipt", "pm_getPaymasterStubData", "pm_getPaymasterData"],
]);

async function call(options: ApiOptions, method: string, params: unknown[], client: string): Promise<unknown> {
  const { sponsor } = options;
  switch (method) {
    case "eth_chainId":
      return toQuantity(options.chainId);
    case "eth_supportedEntryPoints":
      return [ENTRY_POINT];
    case "eth_estimateUserOperationGas": {
      const [op, entryPoint] = sending.parse(params);
      requirePlace(options, entryPoint);
      return sponsor.estimate(op);
    }
    case "pm_getPaymasterStubData": {
      const [op, entryPoint, chain] = sponsoring.parse(params);
      requirePlace(options, entryPoint, chain);
      return sponsor.stub(op);
    }
    case "pm_getPaymasterData": {
      const [op, entryPoint, chain] = sponsoring.parse(params);
      requirePlace(options, entryPoint, chain);
      return sponsor.sponsor(op, client);
    }
    case "eth_sendUserOperation": {
      const [op, entryPoint] = sending.parse(params);
      requirePlace(options, entryPoint);
      return sponsor.send(op);
    }
    case "eth_getUserOperationReceipt":
      return sponsor.receipt(hash.parse(params[0]).toLowerCase());
    default:
      throw new SponsorError("NO_METHOD", "method", `There is no method ${method}; try ${[...METHODS].join(", ")}.`);
  }
}

function requirePlace({ chainId: own }: ApiOptions, entryPoint: string, chain = own): void {
  if (entryPoint !== ENTRY_POINT) {
    throw new SponsorError("OTHER_ENTRY_POINT", "parameters", `Only the entry point ${ENTRY_POINT} (0.8) is served.`);
  }
  if (chain !== own)
    throw new SponsorError("OTHER_CHAIN", "parameters", `This sponsor pays on chain ${String(own)} only.`);
}

function failed(id: unknown, code: number, message: string, data?: object): object {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data && { data }) } };
}
