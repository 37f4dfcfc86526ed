import { setTimeout as delay } from "node:timers/promises";

import {
  FetchRequest,
  type JsonRpcError,
  type JsonRpcPayload,
  JsonRpcProvider,
  type JsonRpcResult,
  Network,
} from "ethers";

import { type RpcFailure, RpcUnavailable, WrongNetwork } from "./errors.ts";
import { answerFailure, retryAfter, transportFailure } from "./internal/rpc-failure.ts";

/** Chain id of Hardhat's simulated chain. */
export const LOCAL_CHAIN_ID = 31337;

/** How an endpoint is asked. All times in milliseconds. */
export interface ProviderOptions {
  /** Chain that the endpoint must serve. */
  readonly chainId: number;
  /** Silence after which a request counts as unanswered. Default 15,000. */
  readonly timeoutMs?: number;
  /** Tries of a request, the first included. Default 4. */
  readonly attempts?: number;
  /** Pause before the second try; it doubles with each further one, with some jitter. Default 250. */
  readonly backoffMs?: number;
  /** Pause between two looks for something new (blocks, receipts). Default 200 on a local chain, else 1,000. */
  readonly pollingMs?: number;
  /** Other endpoints of the same chain. The next one is asked when one fails in a way that another may not. */
  readonly fallbackUrls?: readonly string[];
  /** Most calls sent as one HTTP request. Default 10; 1 for endpoints that know no batches. */
  readonly batch?: number;
}

type Answer = JsonRpcResult | JsonRpcError;

/** Methods that change something each time they are called; everything else can be sent again. */
const NOT_REPEATABLE = /^(evm_|hardhat_|anvil_|eth_sendTransaction$)/;

/** Failures that go away by themselves; the others are reported at once. */
const TRANSIENT: readonly RpcFailure[] = ["connection", "timeout", "throttled", "server", "behind"];

/** Longest pause between two tries. */
const MAX_PAUSE_MS = 10_000;

/**
 * A JSON-RPC provider that either returns the truth or throws {@link RpcUnavailable}: a request that got no answer is
 * tried again with back-off as long as that can help, and is never mistaken for an empty answer. Answers are not cached.
 *
 * Open one with {@link openProvider}, which checks the chain first.
 */
export class RpcProvider extends JsonRpcProvider {
  readonly chainId: number;
  readonly #endpoints: readonly Endpoint[];
  #current = 0;
  readonly #attempts: number;
  readonly #backoffMs: number;

  constructor(url: string, options: ProviderOptions) {
    const endpoints = [url, ...(options.fallbackUrls ?? [])].map((one) => endpointOf(one, options.timeoutMs ?? 15_000));
    super(endpoints[0]?.request, options.chainId, {
      staticNetwork: Network.from(options.chainId),
      batchMaxCount: options.batch ?? 10,
      pollingInterval: options.pollingMs ?? (options.chainId === LOCAL_CHAIN_ID ? 200 : 1000),
      // A cached nonce or fee is a stale one.
      cacheTimeout: -1,
    });
    this.chainId = options.chainId;
    this.#endpoints = endpoints;
    // Each endpoint gets its chance.
    this.#attempts = Math.max(options.attempts ?? 4, endpoints.length);
    this.#backoffMs = options.backoffMs ?? 250;
  }

  /** The endpoint that is asked now, without path and credentials, which often hold an access key. */
  get endpoint(): string {
    return this.#endpoints[this.#current]?.name ?? "";
  }

  /** Endpoints, all of the same chain. */
  get endpoints(): readonly string[] {
    return this.#endpoints.map(({ name }) => name);
  }

  /** Sends a request (or a batch), again if need be. */
  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    const repeatable = [payload].flat().every(({ method }) => !NOT_REPEATABLE.test(method));
    const answers = new Map<number, Answer>();
    let open = [payload].flat();
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#ask(Array.isArray(payload) ? open : payload, answers);
      if (!failure) return [...answers.values()] as JsonRpcResult[];
      open = open.filter(({ id }) => !answers.has(id));
      // What one endpoint refuses for good (a missing access key, say) another may answer.
      const others = this.#endpoints.length > 1 && attempt < this.#endpoints.length;
      const hopeful = TRANSIENT.includes(failure.reason) || (others && failure.reason === "refused");
      if (!repeatable || attempt >= this.#attempts || !hopeful) throw this.#unavailable(failure, attempt);
      this.#current = (this.#current + 1) % this.#endpoints.length;
      if (others) continue;
      // The jitter keeps clients that failed together from coming back together.
      const pause = this.#backoffMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await delay(Math.min(failure.pauseMs ?? pause, MAX_PAUSE_MS));
    }
  }

  /** Sends once; collects what was answered and tells why the rest was not. */
  async #ask(payload: JsonRpcPayload | JsonRpcPayload[], answers: Map<number, Answer>): Promise<Failure | undefined> {
    let received: Answer[];
    try {
      received = await this.#post(payload);
    } catch (error) {
      const reason = transportFailure(error);
      if (!reason) throw error;
      return { reason, what: summary(error), pauseMs: retryAfter(error) };
    }
    let failure: Failure | undefined;
    for (const { id, method } of [payload].flat()) {
      const answer = received.find((one) => one.id === id);
      const reason = answer ? "error" in answer && answerFailure(answer.error) : "server";
      if (answer && !reason) answers.set(id, answer);
      else if (reason)
        failure = {
          reason,
          what: answer && "error" in answer ? (answer.error.message ?? method) : `no answer to ${method}`,
        };
    }
    return failure;
  }

  async #post(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answer[]> {
    const endpoint = this.#endpoints[this.#current];
    if (!endpoint) throw new RangeError("a provider has at least one endpoint");
    if (this.#current > 0 && !endpoint.checked) await this.#check(endpoint);
    return this.#postTo(endpoint, payload);
  }

  /** A fallback is checked when it is first needed: it may have been down when the provider was opened. */
  async #check(endpoint: Endpoint): Promise<void> {
    const [answered] = await this.#postTo(endpoint, { jsonrpc: "2.0", id: 0, method: "eth_chainId", params: [] });
    const actual = answered && "result" in answered ? Number(answered.result) : NaN;
    if (actual !== this.chainId) throw new WrongNetwork(this.chainId, actual, endpoint.name);
    endpoint.checked = true;
  }

  async #postTo(endpoint: Endpoint, payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answer[]> {
    const request = endpoint.request.clone();
    request.body = JSON.stringify(payload);
    request.setHeader("content-type", "application/json");
    const response = await request.send();
    // Some endpoints answer a JSON-RPC error with an HTTP status of 4xx or 5xx; the former says more.
    if (!response.ok() && !isAnswer(response.bodyText)) response.assertOk();
    return [response.bodyJson as Answer | Answer[]].flat();
  }

  #unavailable(failure: Failure, attempts: number): RpcUnavailable {
    const tries = attempts === 1 ? "" : ` after ${String(attempts)} tries`;
    return new RpcUnavailable(
      failure.reason,
      `The RPC endpoint ${this.endpoint} gave no answer${tries} (${failure.reason}: ${failure.what}). ${REMEDIES[failure.reason]}`,
      { details: { endpoint: this.endpoint, reason: failure.reason, attempts } },
    );
  }
}

interface Endpoint {
  readonly name: string;
  readonly request: FetchRequest;
  /** Whether it has said that it serves the right chain. */
  checked: boolean;
}

function endpointOf(url: string, timeoutMs: number): Endpoint {
  const request = new FetchRequest(url);
  request.timeout = timeoutMs;
  // Throttling is handled by the provider, where the number of tries is bounded.
  request.retryFunc = async () => false;
  return { name: publicPart(url), request, checked: false };
}

interface Failure {
  readonly reason: RpcFailure;
  readonly what: string;
  readonly pauseMs?: number | undefined;
}

const REMEDIES: Readonly<Record<RpcFailure, string>> = {
  connection: "Check that the node runs and that the URL is right.",
  timeout: "Check that the node is not overloaded, or allow it more time.",
  throttled: "Ask less often, or use an endpoint with a higher limit.",
  server: "Check the node's log, or use another endpoint.",
  refused: "Check the URL and its access key.",
  "too-large": "Ask for less at once.",
  behind: "Wait until the node has caught up, or use another endpoint.",
};

/**
 * Opens a provider and checks once that the endpoint serves the configured chain.
 *
 * @throws {@link RpcUnavailable} if the endpoint does not answer; {@link WrongNetwork} if it serves another chain.
 */
export async function openProvider(url: string, options: ProviderOptions): Promise<RpcProvider> {
  const provider = new RpcProvider(url, options);
  try {
    const actual = Number(await provider.send("eth_chainId", []));
    if (actual !== options.chainId) throw new WrongNetwork(options.chainId, actual, provider.endpoint);
    return provider;
  } catch (error) {
    provider.destroy();
    throw error;
  }
}

function publicPart(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "(not a URL)";
}

function isAnswer(body: string): boolean {
  try {
    return [JSON.parse(body) as unknown]
      .flat()
      .some((one) => typeof one === "object" && one !== null && "error" in one && "id" in one);
  } catch {
    return false;
  }
}

/** What went wrong without the request, whose URL may hold an access key. */
function summary(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const short = "shortMessage" in error ? String(error.shortMessage) : error.message;
  const code = "code" in error ? String(error.code) : error.name;
  return short === "" ? code : short.replace(/\w+:\/\/\S+/g, "(url)");
}
