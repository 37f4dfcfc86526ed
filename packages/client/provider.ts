import {
  type JsonRpcError,
  type JsonRpcPayload,
  JsonRpcProvider,
  type JsonRpcResult,
  makeError,
  Network,
  toQuantity,
} from "ethers";

import { LOCAL_CHAIN_ID } from "./chains.ts";
import { RpcUnavailableError } from "./errors.ts";
import { Endpoint } from "./internal/rpc-endpoint.ts";
import { type EndpointEvent, EndpointPool } from "./internal/rpc-pool.ts";
import { shownName } from "./internal/rpc-redact.ts";
import { askPool, type RequestTimeOuts } from "./internal/rpc-request.ts";
import { suggestTip } from "./internal/rpc-tip.ts";

export type { EndpointEvent } from "./internal/rpc-pool.ts";
export { proxyFor, requireProxySupport } from "./internal/rpc-transport.ts";

/** Blocks that an endpoint may be behind the others unless a configuration says otherwise: a minute on BASE. */
export const MAX_BLOCKS_BEHIND = 30;

/** How endpoints are asked. All times in milliseconds. */
export interface ProviderOptions {
  /** Chain that the endpoints must serve. */
  readonly chainId: number;
  /** Time for one HTTP exchange, from the first byte sent to the last received. Default 15,000. */
  readonly timeoutMs?: number | undefined;
  /** Tries of a request, the first included; at least one for each endpoint. Default 4. */
  readonly attempts?: number | undefined;
  /** Pause before an endpoint is asked the same again; it doubles each time, with some jitter. Default 250. */
  readonly backoffMs?: number | undefined;
  /** Pause between two looks for something new (blocks, receipts). Default 200 on a local chain, else 1,000. */
  readonly pollingMs?: number | undefined;
  /** Other endpoints of the same chain, in order of preference. The next one is asked when one gives no answer. */
  readonly fallbackUrls?: readonly string[] | undefined;
  /** Maximum of calls in one HTTP request. Default 10; becomes smaller by itself where an endpoint takes fewer. */
  readonly batch?: number | undefined;
  /** Maximum of HTTP requests on the way to one endpoint at once. Default 8. */
  readonly maxInFlight?: number | undefined;
  /** Maximum of HTTP requests to one endpoint in a second. By default learnt from the endpoint's refusals. */
  readonly maxPerSecond?: number | undefined;
  /** Maximum of bytes in one answer, as sent and as unpacked. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Blocks that an endpoint may be behind the others. Default 30: a minute on BASE. */
  readonly maxBlocksBehind?: number | undefined;
  /** Told of endpoints that are dropped, fail or return. By default what is dropped is written to standard error. */
  readonly onEndpoint?: ((event: EndpointEvent) => void) | undefined;
}

/** How long the opening of a provider waits for endpoints that may turn out to be preferable or stale. */
const GRACE_MS = 1000;

/**
 * A JSON-RPC provider that either returns the truth or throws {@link RpcUnavailableError}. Only a well-formed result with the
 * right id, a revert and a known sentence about a transaction are answers; whatever else an endpoint says, the next one
 * is asked, and the same one again after a pause. Each endpoint is judged by itself: its chain is checked before anything
 * that it says counts, one of another chain or behind the others is dropped, and a preferred one is returned to when it
 * does well again. Answers are not cached.
 *
 * Open one with {@link openProvider}, which checks the chain first.
 */
export class RpcProvider extends JsonRpcProvider {
  readonly chainId: number;
  readonly #network: Network;
  readonly #pool: EndpointPool;
  readonly #timeOuts: RequestTimeOuts;
  readonly #closing: AbortController;

  /** @throws RpcUnavailableError `refused` for an address that is none; ChainError `PROXY_UNSUPPORTED`. */
  constructor(url: string, options: ProviderOptions) {
    const { chainId, backoffMs = 250, batch = 10, maxInFlight = 8 } = options;
    const bounds = {
      timeoutMs: options.timeoutMs ?? 15_000,
      batch,
      maxInFlight,
      maxSockets: maxInFlight,
      maxBytes: options.maxBytes ?? 2 ** 24,
      maxPerSecond: options.maxPerSecond,
      pauseMs: backoffMs,
    };
    const urls = new Set([url, ...(options.fallbackUrls ?? [])]);
    const endpoints = [...urls].map((one) => new Endpoint(one, bounds));
    const network = Network.from(chainId);
    super(shownName(url), chainId, {
      staticNetwork: network,
      batchMaxCount: batch,
      pollingInterval: options.pollingMs ?? (chainId === LOCAL_CHAIN_ID ? 200 : 1000),
      // A cached nonce or fee is a stale one.
      cacheTimeout: -1,
    });
    this.chainId = chainId;
    this.#network = network;
    this.#pool = new EndpointPool(endpoints, {
      chainId,
      maxBlocksBehind: options.maxBlocksBehind ?? MAX_BLOCKS_BEHIND,
      onEndpoint: options.onEndpoint ?? warn,
    });
    this.#closing = new AbortController();
    // Each endpoint gets its chance.
    const attempts = Math.max(options.attempts ?? 4, endpoints.length);
    this.#timeOuts = { attempts, backoffMs, signal: this.#closing.signal };
  }

  /** The endpoint that answered last, without path and credentials, which often hold an access key. */
  get endpoint(): string {
    return (this.#pool.current ?? this.#pool.endpoints[0])?.name ?? "";
  }

  /** Endpoints of the same chain, in order of preference. */
  get endpoints(): readonly string[] {
    return this.#pool.endpoints.map(({ name }) => name);
  }

  /**
   * Waits until an endpoint has shown that it serves the right chain.
   *
   * @throws {@link RpcUnavailableError} if none answers; WrongNetworkError if all serve another chain.
   */
  async open(): Promise<void> {
    await this.#pool.checkAll(GRACE_MS);
    await askPool(this.#pool, [], this.#timeOuts);
  }

  /** The network: never another one. ethers compares it with itself, by copies, for each call. */
  override async getNetwork(): Promise<Network> {
    return this.#network;
  }

  /** Sends requests, again if need be. What stays unanswered is an error of its own request alone. */
  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    this.#pool.lookAfter();
    const calls = [payload].flat();
    const asked = await Promise.all(oneLarge(calls).map((some) => askPool(this.#pool, some, this.#timeOuts)));
    const results = new Map(asked.flatMap((some) => [...some]));
    return calls.map(({ id }) => {
      const result = results.get(id);
      return result instanceof Error || !result ? { id, error: { unavailable: result } } : result;
    }) as JsonRpcResult[];
  }

  /** Asks; a node without `eth_maxPriorityFeePerGas` is asked for what its last blocks paid. */
  override async send(method: string, params: unknown[] | Record<string, unknown>): Promise<unknown> {
    const ask = async (other: string, list: typeof params): Promise<unknown> => super.send(other, list);
    if (method !== "eth_maxPriorityFeePerGas") return ask(method, params);
    try {
      return await ask(method, params);
    } catch (error) {
      if (!(error instanceof RpcUnavailableError) || error.reason !== "unsupported") throw error;
      return toQuantity(await suggestTip(ask));
    }
  }

  /** The error of a request: {@link RpcUnavailableError}, a revert, or what the node says in its own words. */
  override getRpcError(payload: JsonRpcPayload, answered: JsonRpcError): Error {
    const { error } = answered as { error: { message?: unknown; unavailable?: unknown } };
    if (error.unavailable instanceof Error) return error.unavailable;
    const made = super.getRpcError(payload, answered);
    if (!made.message.startsWith("could not coalesce error")) return made;
    return makeError(String(error.message), "UNKNOWN_ERROR", { error: answered.error });
  }

  /** Ends all requests; those under way fail. */
  override destroy(): void {
    this.#closing.abort();
    for (const endpoint of this.#pool.endpoints) endpoint.close();
    super.destroy();
  }
}

/**
 * Opens a provider and checks that an endpoint serves the configured chain.
 *
 * @throws {@link RpcUnavailableError} if none answers; WrongNetworkError if all serve another chain.
 */
export async function openProvider(url: string, options: ProviderOptions): Promise<RpcProvider> {
  const provider = new RpcProvider(url, options);
  try {
    await provider.open();
    return provider;
  } catch (error) {
    provider.destroy();
    throw error;
  }
}

/** Calls by request, so that none has to bring two answers that may be large: each is bounded by itself, and the first is used as soon as it has arrived. */
function oneLarge(calls: readonly JsonRpcPayload[]): JsonRpcPayload[][] {
  const isLarge = ({ method }: JsonRpcPayload) => method === "eth_getLogs";
  const [first, ...others] = calls.filter(isLarge);
  const together = calls.filter((call) => call === first || !isLarge(call));
  return [together, ...others.map((call) => [call])];
}

function warn({ kind, message }: EndpointEvent): void {
  if (kind === "dropped") process.stderr.write(`${message}\n`);
}
