import { toQuantity } from "ethers";
import { z } from "zod";

import { servePublic } from "@verai/system/http/public-server";
import { refuse, sendJson } from "@verai/system/http/server";
import { RPC_CODES, SponsorError } from "./errors.ts";
import { ENTRY_POINT, address, operation } from "./operation.ts";
import type { Sponsor } from "./sponsor.ts";

/** Bytes of a request at most. */
const MAX_BODY = 96 * 1024;
/** Requests of all at once, of an address each second, and of an address at once. */
const AT_ONCE = 32;
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
  const { host, port, proxies, onError } = options;
  return servePublic({
    ...{ host, port, proxies, onError },
    ...{ maxBody: MAX_BODY, perSecond: PER_SECOND, burst: BURST, atOnce: AT_ONCE },
    handle: async ({ method, path, body, client, response }) => {
      if (method === "POST") return sendJson(response, 200, await answer(options, body.toString("utf8"), client));
      if (path === "/status") return sendJson(response, 200, await options.status());
      return refuse(response, 405, "POST JSON-RPC, or GET /status");
    },
  });
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
