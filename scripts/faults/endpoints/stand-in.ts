import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";

import { keccak256 } from "ethers";

import type { ChainError } from "@verai/client/errors";
import { type RpcFailure, RpcUnavailableError } from "@verai/client/errors";
import { explain } from "@verai/client/error-messages";
import { type EndpointEvent, type ProviderOptions, RpcProvider } from "@verai/client/provider";

/** Chain that stand-ins serve. */
export const CHAIN = 84532;
/** Stands in every address where an access key would. */
export const SECRET = "Sk7f3a9c1e5b2d8046";
/** Newest block of an endpoint that does well. */
export const HEAD = 1000;

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Answers a whole HTTP request itself; returns false to leave it to the stand-in. */
export type Http = (response: ServerResponse, calls: readonly Call[], request: IncomingMessage) => unknown;
/** The members of one answer beside `jsonrpc` and `id`; undefined for the right one. */
export type Reply = (call: Call) => Record<string, unknown> | undefined;

/** Time for an answer where the fault is that none comes, milliseconds. */
export const SHORT_MS = 200;

/** An endpoint over real HTTP that does well except where it is told otherwise. */
export class StandIn {
  http: Http | undefined;
  reply: Reply | undefined;
  /** Whether faults also befall the check of chain and newest block. */
  faultyChecks = false;
  chainId = CHAIN;
  head = HEAD;
  /** Methods of all calls, in order, those of checks left out. */
  readonly asked: string[] = [];
  requests = 0;
  open = 0;
  maxOpen = 0;
  url = "";
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(setUp: Partial<Pick<StandIn, "http" | "reply" | "faultyChecks" | "chainId" | "head">> = {}) {
    const one = Object.assign(new StandIn(), setUp);
    await new Promise<void>((resolve) => one.#server.listen(0, "127.0.0.1", resolve));
    one.url = `http://127.0.0.1:${String((one.#server.address() as AddressInfo).port)}/v2/${SECRET}`;
    return one;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    this.open += 1;
    this.maxOpen = Math.max(this.maxOpen, this.open);
    response.on("close", () => (this.open -= 1));
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as Call | Call[];
    const calls = [body].flat();
    const isCheck = calls.every(({ id }) => id === 0);
    if (!isCheck) this.asked.push(...calls.map(({ method }) => method));
    if (this.http && (this.faultyChecks || !isCheck) && this.http(response, calls, request) !== false) return;
    const answers = calls.map((call) => ({
      jsonrpc: "2.0",
      id: call.id,
      ...((this.faultyChecks || !isCheck ? this.reply?.(call) : undefined) ?? { result: this.#right(call) }),
    }));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  #right({ method, params }: Call): unknown {
    if (method === "eth_chainId") return `0x${this.chainId.toString(16)}`;
    if (method === "eth_blockNumber") return `0x${this.head.toString(16)}`;
    if (method === "eth_getBlockByNumber") return blockOf(this.head);
    if (method === "eth_getBlockByHash") return { ...blockOf(this.head), hash: params[0] };
    if (method === "eth_sendRawTransaction") return keccak256(params[0] as string);
    if (method === "eth_getTransactionReceipt" || method === "eth_getTransactionByHash") return null;
    if (method === "eth_getLogs") return [];
    if (method === "eth_feeHistory") return { oldestBlock: "0x1", baseFeePerGas: ["0x1"], reward: [["0x2faf080"]] };
    return "0x2a";
  }
}

/** A block as nodes give it. */
export function blockOf(number: number): Record<string, unknown> {
  return {
    number: `0x${number.toString(16)}`,
    hash: `0x${"b1".repeat(32)}`,
    parentHash: `0x${"b0".repeat(32)}`,
    timestamp: "0x65000000",
    nonce: "0x0000000000000000",
    difficulty: "0x0",
    gasLimit: "0x1c9c380",
    gasUsed: "0x0",
    miner: `0x${"00".repeat(20)}`,
    extraData: "0x",
    baseFeePerGas: "0xf4240",
    transactions: [],
  };
}

/** Endpoints, and the provider that asks them; ended together. */
export class Bench {
  readonly events: EndpointEvent[] = [];
  readonly #ends: (() => unknown)[] = [];

  async standIn(setUp: Parameters<typeof StandIn.start>[0] = {}): Promise<StandIn> {
    const one = await StandIn.start(setUp);
    this.#ends.push(() => one.stop());
    return one;
  }

  /** A provider that is impatient, so that faults pass quickly. */
  provider(urls: readonly string[], options: Partial<ProviderOptions> = {}): RpcProvider {
    const [first = "", ...fallbackUrls] = urls;
    const made = new RpcProvider(first, {
      chainId: CHAIN,
      timeoutMs: 1000,
      attempts: 2,
      backoffMs: 5,
      fallbackUrls,
      onEndpoint: (event) => this.events.push(event),
      ...options,
    });
    this.#ends.unshift(() => {
      made.destroy();
    });
    return made;
  }

  onEnd(end: () => unknown): void {
    this.#ends.unshift(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }
}

/** Runs something on a bench of its own. */
export async function onBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = new Bench();
  try {
    await work(bench);
    assert.ok(!inspect(bench.events).includes(SECRET), "an access key is in a log line");
  } finally {
    await bench.end();
  }
}

/** The error of what must fail; checks that it holds no access key and no riddle. */
export async function failure(asked: Promise<unknown>): Promise<ChainError> {
  let raw: unknown;
  try {
    raw = undefined;
    assert.fail(`it was answered: ${String(await asked)}`);
  } catch (error) {
    raw = error;
  }
  if (raw instanceof assert.AssertionError) throw raw;
  const error = explain(raw);
  for (const shown of [
    error.message,
    error.stack ?? "",
    inspect(raw, { depth: 12, showHidden: true }),
    inspect(error),
  ]) {
    assert.ok(!shown.includes(SECRET), `an access key is in an error: ${error.message}`);
  }
  assert.ok(!error.message.includes("could not coalesce"), error.message);
  return error;
}

/** The error of what must find no answer, for one of these reasons. */
export async function unavailable(
  asked: Promise<unknown>,
  ...reasons: readonly RpcFailure[]
): Promise<RpcUnavailableError> {
  const error = await failure(asked);
  assert.ok(error instanceof RpcUnavailableError, `${error.code}: ${error.message}`);
  assert.ok(reasons.length === 0 || reasons.includes(error.reason), `${error.reason}: ${error.message}`);
  return error;
}

/** Rejects if something takes longer than it may, by the monotonic clock. */
export async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const took = performance.now() - start;
  assert.ok(took <= ms, `it took ${took.toFixed(0)} ms, the maximum is ${String(ms)} ms`);
  return result;
}
