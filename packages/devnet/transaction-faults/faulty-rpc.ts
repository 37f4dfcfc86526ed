import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A call of JSON-RPC. */
export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a node answers. */
export interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** What is done to a call; `forward` asks the real node. */
export type Misbehaviour = (call: RpcCall, forward: () => Promise<RpcAnswer>) => RpcAnswer | Promise<RpcAnswer>;

/** Thrown by a misbehaviour: the connection ends without an answer. */
export class HangUpError extends Error {}

/** An endpoint in front of a real node that misbehaves as it is told. */
export class FaultyRpc {
  /** Applied to every call; by default all are forwarded. */
  misbehave: Misbehaviour = (_, forward) => forward();
  /** Applied to every request first; true if it has answered. */
  http: (calls: readonly RpcCall[], response: ServerResponse) => boolean = () => false;
  readonly #target: string;
  readonly #server: Server;

  constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** @returns Its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Behaves from now on. */
  heal(): void {
    this.misbehave = (_, forward) => forward();
    this.http = () => false;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as RpcCall | RpcCall[];
    const calls = [body].flat();
    if (this.http(calls, response)) return;
    const answers = await Promise.all(
      calls.map(async (call) => ({
        jsonrpc: "2.0",
        id: call.id,
        ...(await this.misbehave(call, () => this.#forward(call))),
      })),
    );
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  async #forward({ id, method, params }: RpcCall): Promise<RpcAnswer> {
    const answer = await fetch(this.#target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
    });
    const { result, error } = (await answer.json()) as RpcAnswer;
    return error ? { error } : { result };
  }
}

/** Only calls of some methods misbehave, and only the first so many of them. */
export function only(methods: RegExp, misbehaviour: Misbehaviour, times = Infinity): Misbehaviour {
  let left = times;
  return (call, forward) => {
    if (!methods.test(call.method) || left <= 0) return forward();
    left -= 1;
    return misbehaviour(call, forward);
  };
}

/** An error instead of an answer; the real node is not asked. */
export function refuses(message: string, code = -32000): Misbehaviour {
  return () => ({ error: { code, message } });
}

/** The real node does it, but the answer is an error. */
export function doesAndSays(message: string, code = -32000): Misbehaviour {
  return async (_, forward) => {
    await forward();
    return { error: { code, message } };
  };
}

/** Changes the result of the real node, if it has one. */
export function altered(change: (result: Record<string, unknown>) => unknown): Misbehaviour {
  return async (_, forward) => {
    const answer = await forward();
    const { result } = answer;
    return typeof result === "object" && result !== null
      ? { result: change({ ...(result as Record<string, unknown>) }) }
      : answer;
  };
}
