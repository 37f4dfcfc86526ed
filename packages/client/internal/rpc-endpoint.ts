import { RpcUnavailableError, type RpcFailure } from "../errors.ts";
import { classifyAnswer, type Verdict } from "./rpc-failure.ts";
import { Gate, type GateOptions } from "./rpc-gate.ts";
import { secretsOf, shownName } from "./rpc-redact.ts";
import type { RpcCall } from "./rpc-shapes.ts";
import { ExchangeError, Transport, type TransportOptions } from "./rpc-transport.ts";

/** A JSON-RPC call with its id. */
export interface RpcPayload extends RpcCall {
  readonly id: number;
}

/** A call's answer, as it is handed on: a result, or an error that says something about the chain. */
export type RpcAnswer =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: { readonly code: number; readonly message: string; readonly data?: string };
    };

/** Why a call got no answer. */
export interface Failure {
  readonly reason: RpcFailure;
  /** In the endpoint's words or ours; holds no access key. */
  readonly what: string;
  /** Pause that the endpoint asks for, milliseconds. */
  readonly pauseMs?: number | undefined;
  /** Whether the endpoint may have got the call. */
  readonly sent: boolean;
}

/** What came of one call at one endpoint. */
export type Outcome =
  | { readonly call: RpcPayload; readonly answer: RpcAnswer; readonly local: boolean }
  | { readonly call: RpcPayload; readonly failure: Failure };

/** Why an endpoint is not asked for now. */
export type Fault =
  | { readonly kind: "chain"; readonly actual: number }
  | { readonly kind: "stale"; readonly behind: number }
  | { readonly kind: "ahead"; readonly ahead: number };

/** First and longest time that a failed endpoint is left alone, milliseconds. */
const REST_MS = 1000;
const LONGEST_REST_MS = 30_000;

/** Failures that say something about the endpoint as a whole, and not about one request. */
const UNWELL: readonly RpcFailure[] = ["connection", "timeout", "throttled", "server", "refused", "behind"];

/** One endpoint: how it is asked, and how it has done so far. */
export class Endpoint {
  /** Scheme and host, without anything that may be an access key. */
  readonly name: string;
  readonly gate: Gate;
  readonly #transport: Transport;
  readonly #redact: (text: string) => string;
  readonly #timeoutMs: number;
  readonly #closed = new AbortController();
  /** Maximum calls in one request: becomes 1 when a batch was not understood. */
  #batch: number;
  #failures = 0;
  #restsUntil = 0;
  /** When it last answered a request other than a check. */
  #answeredAt = -Infinity;
  /** Whether its chain was looked at and is the right one. */
  verified = false;
  /** Set while it is dropped. */
  fault: Fault | undefined;
  /** The newest block that it has named, and when by the monotonic clock. */
  head: { readonly number: number; readonly at: number } | undefined;
  /** A check under way. */
  checking: Promise<Failure | undefined> | undefined;

  constructor(url: string, options: TransportOptions & GateOptions & { readonly batch: number }) {
    this.name = shownName(url);
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new RpcUnavailableError(
        "refused",
        `The address of the RPC endpoint ${this.name} is no http or https address.`,
      );
    }
    this.#redact = secretsOf(url);
    this.#transport = new Transport(new URL(url), options);
    this.#batch = options.batch;
    this.#timeoutMs = options.timeoutMs;
    this.gate = new Gate(options);
  }

  /** Milliseconds until it should be asked again; 0 if it is well. */
  get restMs(): number {
    return Math.max(0, this.#restsUntil - performance.now(), this.gate.pauseMs);
  }

  /** Whether it has failed since its last answer, and is due for another chance. */
  get recovering(): boolean {
    return this.#failures > 0 || this.fault !== undefined;
  }

  /** Whether it answered a request (checks aside) within the last so many milliseconds. */
  answeredWithin(ms: number): boolean {
    return performance.now() - this.#answeredAt < ms;
  }

  /** Sends calls, in as few requests as it takes them in. Never throws. */
  async ask(calls: readonly RpcPayload[]): Promise<Outcome[]> {
    if (calls.length > this.#batch) {
      const groups = Array.from({ length: Math.ceil(calls.length / this.#batch) }, (_, i) =>
        calls.slice(i * this.#batch, (i + 1) * this.#batch),
      );
      return (await Promise.all(groups.map((group) => this.ask(group)))).flat();
    }
    const outcomes = await this.#exchange(calls);
    // It takes no batch of this size: smaller ones from now on.
    return outcomes ?? this.ask(calls);
  }

  /** Notes how a request went, for {@link restMs}. */
  note(outcomes: readonly Outcome[]): void {
    const failures = outcomes.flatMap((one) => ("failure" in one ? [one.failure] : []));
    const unwell = failures.filter(({ reason }) => UNWELL.includes(reason));
    if (outcomes.length > failures.length) this.#answeredAt = performance.now();
    if (failures.length === 0) {
      this.#failures = 0;
      this.#restsUntil = 0;
    }
    if (unwell.length > 0) this.rest();
    // Whatever waits for an endpoint that is silent would only be silent in turn.
    if (unwell.some(({ reason }) => reason === "timeout") && !this.answeredWithin(this.#timeoutMs)) {
      this.gate.fail(new RpcUnavailableError("timeout", "the endpoint has been silent for some time"));
    }
  }

  /** Leaves it alone for a while: a second at first, twice as long each time, 30 s at most. */
  rest(): void {
    // Requests that were on their way together fail together: that is one failure.
    if (performance.now() < this.#restsUntil) return;
    this.#restsUntil = performance.now() + Math.min(REST_MS * 2 ** this.#failures, LONGEST_REST_MS);
    this.#failures = Math.min(this.#failures + 1, 16);
  }

  /** Says that it has come back. */
  recovered(): void {
    this.#failures = 0;
    this.#restsUntil = 0;
    this.fault = undefined;
  }

  /** Ends all that is under way. */
  close(): void {
    this.#closed.abort();
    this.gate.fail(new RpcUnavailableError("connection", "the provider was closed"));
    this.#transport.close();
  }

  /** One HTTP request. Undefined if the endpoint does not take a batch. */
  async #exchange(calls: readonly RpcPayload[]): Promise<Outcome[] | undefined> {
    const failed = (failure: Failure): Outcome[] => calls.map((call) => ({ call, failure }));
    try {
      await this.gate.enter();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const reason = error instanceof RpcUnavailableError ? error.reason : "connection";
      return failed({ reason, what, sent: false });
    }
    try {
      const bodies = calls.map(({ id, method, params }) => ({ jsonrpc: "2.0", id, method, params }));
      const body = JSON.stringify(bodies.length === 1 ? bodies[0] : bodies);
      const received = await this.#transport.post(body, this.#closed.signal, calls.every(isRepeatable));
      if (calls.length > 1 && refusesBatch(received, calls)) {
        this.#batch = 1;
        return undefined;
      }
      return this.#sort(calls, Array.isArray(received) ? (received as unknown[]) : [received]);
    } catch (error) {
      if (!(error instanceof ExchangeError)) {
        return failed({ reason: "server", what: this.#redact(String(error)), sent: true });
      }
      const { reason, pauseMs, sent } = error;
      if (calls.length > 1 && (reason === "too-large" || /batch/i.test(error.message))) {
        this.#batch = Math.floor(calls.length / 2);
        return undefined;
      }
      if (reason === "throttled" || pauseMs !== undefined) this.gate.refused(pauseMs);
      return failed({ reason, what: this.#redact(error.message), pauseMs, sent });
    } finally {
      this.gate.leave();
    }
  }

  /** Finds each call's answer by its id. An id that comes twice belongs to neither; others' ids are passed over. */
  #sort(calls: readonly RpcPayload[], received: readonly unknown[]): Outcome[] {
    const byId = new Map<unknown, unknown[]>();
    for (const one of received) {
      const id: unknown = typeof one === "object" && one !== null && "id" in one ? one.id : undefined;
      byId.set(id, [...(byId.get(id) ?? []), one]);
    }
    let throttled: number | undefined | false = false;
    const outcomes = calls.map((call): Outcome => {
      const found = byId.get(call.id);
      const server = (what: string): Outcome => ({ call, failure: { reason: "server", what, sent: true } });
      if (found === undefined) {
        // An error without an id is about the whole request, and so never says anything about the chain.
        const [common] = (byId.get(null) ?? byId.get(undefined) ?? []).filter(isError);
        const verdict = common === undefined ? undefined : classifyAnswer({ method: "" }, common);
        if (verdict?.kind !== "unavailable" && verdict?.kind !== "rate-limited")
          return server(`no answer to ${call.method}`);
        if (verdict.kind === "rate-limited") throttled = verdict.pauseMs;
        return this.#outcome(call, {}, verdict);
      }
      if (found.length > 1) return server(`${String(found.length)} answers to one ${call.method}`);
      const verdict = classifyAnswer(call, found[0]);
      if (verdict.kind === "rate-limited") throttled = verdict.pauseMs;
      return this.#outcome(call, found[0] as object, verdict);
    });
    if (throttled === false) this.gate.served();
    else this.gate.refused(throttled);
    return outcomes;
  }

  #outcome(call: RpcPayload, response: object, verdict: Verdict): Outcome {
    if (verdict.kind === "unavailable" || verdict.kind === "rate-limited") {
      const reason = verdict.kind === "unavailable" ? verdict.reason : "throttled";
      const pauseMs = verdict.kind === "rate-limited" ? verdict.pauseMs : undefined;
      return { call, failure: { reason, what: this.#redact(verdict.what), pauseMs, sent: true } };
    }
    if (verdict.kind === "answer") {
      return { call, answer: { id: call.id, result: (response as { result: unknown }).result }, local: false };
    }
    const { code, message } = (response as { error: { code?: unknown; message?: unknown } }).error;
    const error = {
      code: typeof code === "number" ? code : -32000,
      message: this.#redact(typeof message === "string" ? message.slice(0, 2000) : "execution reverted"),
      ...(verdict.kind === "revert" && verdict.data !== "0x" && { data: verdict.data }),
    };
    return { call, answer: { id: call.id, error }, local: verdict.kind === "refusal" && verdict.local };
  }
}

function isError(response: unknown): boolean {
  return typeof response === "object" && response !== null && "error" in response;
}

/** Whether what came for a batch shows that the endpoint takes none: one error, or an answer to the first call alone. */
function refusesBatch(received: unknown, [first]: readonly RpcPayload[]): boolean {
  if (typeof received !== "object" || received === null || Array.isArray(received)) return false;
  if ("id" in received && received.id === first?.id) return true;
  return isError(received) && classifyAnswer({ method: "" }, received).kind !== "rate-limited";
}

/** Methods that change something each time they are called; everything else can be sent again. */
const NOT_REPEATABLE = /^(evm_|hardhat_|anvil_|eth_sendTransaction$)/;

/** Whether a call may be sent again where nobody knows whether it has arrived. */
export function isRepeatable({ method }: RpcCall): boolean {
  return !NOT_REPEATABLE.test(method);
}
