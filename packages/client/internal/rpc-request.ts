import { setTimeout as delay } from "node:timers/promises";

import { type RpcFailure, RpcUnavailableError } from "../errors.ts";
import {
  type Endpoint,
  type Failure,
  isRepeatable,
  type Outcome,
  type RpcAnswer,
  type RpcPayload,
} from "./rpc-endpoint.ts";
import { classifyError } from "./rpc-failure.ts";
import { MAX_PAUSE_MS } from "./rpc-gate.ts";
import type { EndpointPool } from "./rpc-pool.ts";

/** How often and how fast a request is tried again. */
export interface RequestTimeOuts {
  /** Tries, the first included. */
  readonly attempts: number;
  /** Pause before an endpoint is asked the same again, milliseconds; it doubles each time. */
  readonly backoffMs: number;
  /** Ends the trying. */
  readonly signal: AbortSignal;
}

/** Failures that go away by themselves; with the others, asking the same endpoint again is pointless. */
const TRANSIENT: readonly RpcFailure[] = ["connection", "timeout", "throttled", "server", "behind"];
/** Failures after which an endpoint may still have passed on what it was sent. */
const DOUBTFUL: readonly RpcFailure[] = ["connection", "timeout", "server", "behind", "too-large"];
/** Refusals that a transaction gets when an earlier try of the same has arrived. */
const ARRIVED = ["ALREADY_KNOWN", "NONCE_TOO_LOW"];

/** Longest pause between two tries, milliseconds. */
const MAX_BACKOFF_MS = 10_000;
/** Tries that don't count because the endpoint throttles but serves others all the while. */
const MAX_THROTTLED = 40;
/** How long ago such an endpoint may have served something, milliseconds. */
const SERVING_MS = 15_000;

/**
 * Asks a pool's endpoints until each call is answered or no try is left. Without calls it only waits for an endpoint
 * that is verified.
 *
 * @returns For each call its answer, or why there is none.
 * @throws RpcUnavailableError or WrongNetworkError if there are no calls and no endpoint could be verified.
 */
export async function askPool(
  pool: EndpointPool,
  calls: readonly RpcPayload[],
  timeOuts: RequestTimeOuts,
): Promise<Map<number, RpcAnswer | Error>> {
  const request = new Request(pool, calls, timeOuts);
  return request.run();
}

class Request {
  readonly #pool: EndpointPool;
  readonly #timeOuts: RequestTimeOuts;
  readonly #repeatable: boolean;
  readonly #results = new Map<number, RpcAnswer | Error>();
  /** Refusals by one endpoint's own rules, which another may not share. */
  readonly #refusals = new Map<number, RpcAnswer>();
  /** Transactions that an endpoint may have got although it gave no answer. */
  readonly #doubtful = new Set<number>();
  /** Endpoints that were asked, and why each gave no answer. */
  readonly #tried = new Map<Endpoint, Failure>();
  #open: readonly RpcPayload[];
  #attempt = 1;
  #throttled = 0;
  #backoffs = 0;

  constructor(pool: EndpointPool, calls: readonly RpcPayload[], timeOuts: RequestTimeOuts) {
    this.#pool = pool;
    this.#timeOuts = timeOuts;
    this.#open = calls;
    this.#repeatable = calls.every(isRepeatable);
  }

  async run(): Promise<Map<number, RpcAnswer | Error>> {
    for (;;) {
      const endpoint = this.#pool.choose(this.#tried);
      const before = this.#tried.get(endpoint);
      if (before) await this.#pause(before);
      const unfit = await this.#pool.verify(endpoint);
      if (!unfit && this.#open.length === 0) return this.#results;
      if (unfit) this.#tried.set(endpoint, unfit);
      else this.#sort(endpoint, this.#pool.watch(endpoint, await endpoint.ask(this.#open)));
      if (!unfit && this.#open.length === 0) return this.#results;
      if (!this.#goesOn(endpoint)) return this.#giveUp();
    }
  }

  /** Takes what is an answer, and keeps the rest open. */
  #sort(endpoint: Endpoint, outcomes: readonly Outcome[]): void {
    const open: RpcPayload[] = [];
    this.#tried.set(endpoint, { reason: "refused", what: "refused by a rule of its own", sent: false });
    for (const outcome of outcomes) {
      const { call } = outcome;
      if ("failure" in outcome) {
        this.#tried.set(endpoint, outcome.failure);
        if (isSend(call) && outcome.failure.sent && DOUBTFUL.includes(outcome.failure.reason)) {
          this.#doubtful.add(call.id);
        }
        open.push(call);
      } else if (outcome.local && this.#repeatable && this.#pool.hasUntried(this.#tried)) {
        this.#refusals.set(call.id, outcome.answer);
        open.push(call);
      } else {
        this.#results.set(call.id, this.#doubt(call, outcome.answer) ?? outcome.answer);
      }
    }
    this.#open = open;
  }

  /** A transaction that one endpoint may have got is not refused because another refuses it. */
  #doubt(call: RpcPayload, answer: RpcAnswer): RpcUnavailableError | undefined {
    if (!this.#doubtful.has(call.id) || !("error" in answer)) return undefined;
    const verdict = classifyError(call, answer.error);
    if (verdict.kind === "refusal" && ARRIVED.includes(verdict.code)) return undefined;
    return new RpcUnavailableError(
      "server",
      `An RPC endpoint that gave no answer may have passed the transaction on; another refused it (${answer.error.message}). Wait for its receipt before anything is sent again.`,
      { details: { sent: true } },
    );
  }

  #goesOn(endpoint: Endpoint): boolean {
    const { attempts, signal } = this.#timeOuts;
    if (!this.#repeatable || signal.aborted) return false;
    if (this.#pool.hasUntried(this.#tried)) {
      this.#attempt += 1;
      return true;
    }
    if (![...this.#tried.values()].some(({ reason }) => TRANSIENT.includes(reason))) return false;
    const serving =
      this.#tried.get(endpoint)?.reason === "throttled" &&
      endpoint.answeredWithin(SERVING_MS) &&
      endpoint.gate.pauseMs <= MAX_PAUSE_MS;
    if (serving && this.#throttled < MAX_THROTTLED) {
      this.#throttled += 1;
      return true;
    }
    if (this.#attempt >= attempts) return false;
    this.#attempt += 1;
    return true;
  }

  async #pause({ reason }: Failure): Promise<void> {
    // An endpoint that throttles has a pause of its own, for all requests alike.
    if (reason === "throttled") return;
    const { backoffMs, signal } = this.#timeOuts;
    // The jitter keeps clients that failed together from coming back together.
    const pause = backoffMs * 2 ** this.#backoffs * (0.75 + Math.random() / 2);
    this.#backoffs = Math.min(this.#backoffs + 1, 16);
    await delay(Math.min(pause, MAX_BACKOFF_MS), undefined, { signal }).catch(() => undefined);
  }

  #giveUp(): Map<number, RpcAnswer | Error> {
    if (this.#open.length === 0) throw this.#pool.error(this.#tried, this.#attempt, false);
    for (const { id } of this.#open) {
      const doubtful = this.#doubtful.has(id);
      const refusal = doubtful ? undefined : this.#refusals.get(id);
      this.#results.set(id, refusal ?? this.#pool.error(this.#tried, this.#attempt, doubtful));
    }
    return this.#results;
  }
}

function isSend({ method }: RpcPayload): boolean {
  return method === "eth_sendRawTransaction" || method === "eth_sendTransaction";
}
