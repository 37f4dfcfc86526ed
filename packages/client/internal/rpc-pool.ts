import { setTimeout as delay } from "node:timers/promises";

import { type RpcFailure, RpcUnavailableError, WrongNetworkError } from "../errors.ts";
import type { Endpoint, Failure, Outcome, RpcPayload } from "./rpc-endpoint.ts";

/** Something that happened to an endpoint, worth a line in a log. */
export interface EndpointEvent {
  /** `dropped`: it is wrong or stale, and not asked; `failed`: others are asked first; `returned`: it is asked again. */
  readonly kind: "dropped" | "failed" | "returned";
  /** Scheme and host. */
  readonly endpoint: string;
  /** One sentence. */
  readonly message: string;
}

export interface PoolOptions {
  readonly chainId: number;
  /** Blocks that an endpoint may be behind the others. */
  readonly maxBlocksBehind: number;
  readonly onEndpoint: (event: EndpointEvent) => void;
}

/** How often every endpoint's chain and newest block are looked at, where there are several, milliseconds. */
const CHECK_MS = 60_000;
/** How long the newest block of an endpoint that no longer gives answers is held against the others, milliseconds. */
const REMEMBERED_MS = 600_000;
/** How far apart two looks at a newest block may be for the older one to be judged by the newer, milliseconds. */
const COMPARABLE_MS = 5000;
/** Failures of an endpoint make one event within this time, milliseconds. */
const QUIET_MS = 60_000;

const REMEDIES: Readonly<Record<RpcFailure, string>> = {
  connection: "Check that the node runs and that the URL is right.",
  timeout: "Check that the node is not overloaded, or allow it more time.",
  throttled: "Ask less often, or use an endpoint with a higher limit.",
  server: "Check the node's log, or use another endpoint.",
  refused: "Check the URL and its access key.",
  unsupported: "Use an endpoint that offers this method.",
  "too-large": "Ask for less at once.",
  behind: "Wait until the node has caught up, or use another endpoint.",
};

/** Which of several failures an error is named after: the one that a caller can do something about, then what passes. */
const RANK: readonly RpcFailure[] = [
  "too-large",
  "timeout",
  "throttled",
  "behind",
  "server",
  "connection",
  "unsupported",
  "refused",
];

/** Endpoints of one chain in order of preference, each judged by itself. */
export class EndpointPool {
  readonly endpoints: readonly Endpoint[];
  /** The endpoint that answered last. */
  current: Endpoint | undefined;
  readonly #options: PoolOptions;
  readonly #checkedAt = new Map<Endpoint, number>();
  readonly #failureTold = new Map<Endpoint, number>();
  /** Set while newest blocks are gathered before any is judged. */
  #gathering = false;

  constructor(endpoints: readonly Endpoint[], options: PoolOptions) {
    this.endpoints = endpoints;
    this.#options = options;
    const now = performance.now();
    for (const endpoint of endpoints) this.#checkedAt.set(endpoint, now);
  }

  /** The endpoint to ask next: one that was not tried before one that was, one that does well before one that does not. */
  choose(tried: ReadonlyMap<Endpoint, unknown>): Endpoint {
    const worth = (endpoint: Endpoint): number =>
      (endpoint.fault ? 8 : 0) +
      (tried.has(endpoint) ? 4 : 0) +
      (endpoint.restMs > 0 || endpoint.recovering ? 2 : 0) +
      (endpoint.verified ? 0 : 1);
    const [best] = this.endpoints.toSorted((a, b) => worth(a) - worth(b) || (worth(a) >= 2 ? a.restMs - b.restMs : 0));
    if (!best) throw new RangeError("a pool has at least one endpoint");
    return best;
  }

  /** Whether there is an endpoint that was not tried and is not dropped. */
  hasUntried(tried: ReadonlyMap<Endpoint, unknown>): boolean {
    return this.endpoints.some((endpoint) => !endpoint.fault && !tried.has(endpoint));
  }

  /** Checks an endpoint unless that was done; tells why it cannot be asked, or undefined if it can. */
  async verify(endpoint: Endpoint): Promise<Failure | undefined> {
    if (endpoint.fault && endpoint.restMs > 0) return this.#faultOf(endpoint);
    return endpoint.verified && !endpoint.fault ? undefined : this.check(endpoint);
  }

  /** Looks at an endpoint's chain, and at its newest block where there are others to compare it with. */
  async check(endpoint: Endpoint): Promise<Failure | undefined> {
    endpoint.checking ??= this.#check(endpoint).finally(() => {
      endpoint.checking = undefined;
    });
    return endpoint.checking;
  }

  /**
   * Checks all endpoints at once, so that it shows which are wrong or stale.
   *
   * @param graceMs Silent ones are not waited for any longer.
   */
  async checkAll(graceMs: number): Promise<void> {
    if (this.endpoints.length < 2) return;
    // With only some of the blocks known, an honest endpoint could look stale beside one that is not.
    this.#gathering = true;
    const checks = Promise.all(this.endpoints.map(async (endpoint) => this.check(endpoint)));
    await Promise.race([checks, delay(graceMs, undefined, { ref: false })]);
    this.#gathering = false;
    for (const endpoint of this.endpoints.toSorted((a, b) => (b.head?.number ?? -1) - (a.head?.number ?? -1))) {
      this.#compare(endpoint);
    }
  }

  /** Checks in the background what is due: endpoints that may do well again, and all of them every minute. */
  lookAfter(): void {
    if (this.endpoints.length < 2) return;
    const now = performance.now();
    for (const endpoint of this.endpoints) {
      const due = endpoint.recovering ? endpoint.restMs === 0 : now - (this.#checkedAt.get(endpoint) ?? 0) > CHECK_MS;
      // It never rejects.
      if (due && endpoint.checking === undefined) void this.check(endpoint);
    }
  }

  /** Notes how an endpoint did. What one says that turns out to be behind the others is no answer. */
  watch(endpoint: Endpoint, outcomes: readonly Outcome[]): Outcome[] {
    const judged = outcomes.map((outcome): Outcome => {
      const head = headOf(outcome);
      const fault = head === undefined ? undefined : this.#judge(endpoint, head);
      return fault ? { call: outcome.call, failure: fault } : outcome;
    });
    endpoint.note(outcomes);
    const failed = judged.find((one) => "failure" in one);
    if (failed && endpoint.recovering && !endpoint.fault) this.#tellFailure(endpoint, failed.failure);
    if (judged.some((one) => "answer" in one)) this.current = endpoint;
    return judged;
  }

  /**
   * The error of a request that got no answer.
   *
   * @param sent Whether an endpoint may have got it.
   */
  error(
    tried: ReadonlyMap<Endpoint, Failure>,
    attempts: number,
    sent: boolean,
  ): RpcUnavailableError | WrongNetworkError {
    const [first] = this.endpoints;
    if (first?.fault?.kind === "chain" && this.endpoints.every(({ fault }) => fault?.kind === "chain")) {
      return new WrongNetworkError(this.#options.chainId, first.fault.actual, first.name);
    }
    const failures = this.endpoints.flatMap((endpoint) => {
      const failure = endpoint.fault ? this.#faultOf(endpoint) : tried.get(endpoint);
      return failure ? [{ ...failure, name: endpoint.name }] : [];
    });
    const reasons = failures.map(({ reason }) => reason);
    const reason = RANK.find((one) => reasons.includes(one)) ?? "connection";
    const times = attempts === 1 ? "" : ` after ${String(attempts)} tries`;
    const said = failures.map(({ name, ...failure }) => `${name}: ${failure.reason}: ${failure.what}`).join("; ");
    const only = failures[0];
    const who = this.endpoints.length === 1 ? `The RPC endpoint ${first?.name ?? ""}` : "Each RPC endpoint";
    const why = this.endpoints.length === 1 && only ? `${only.reason}: ${only.what}` : said;
    return new RpcUnavailableError(reason, `${who} gave no answer${times} (${why}). ${REMEDIES[reason]}`, {
      details: { endpoint: (this.current ?? first)?.name ?? "", reason, attempts, sent },
    });
  }

  async #check(endpoint: Endpoint): Promise<Failure | undefined> {
    this.#checkedAt.set(endpoint, performance.now());
    const chain = await one(endpoint, "eth_chainId");
    if ("failure" in chain) return this.#unwell(endpoint, chain.failure);
    const actual = Number(chain.result);
    if (actual !== this.#options.chainId) {
      endpoint.verified = false;
      return this.#drop(endpoint, { kind: "chain", actual });
    }
    if (this.endpoints.length > 1) {
      const newest = await one(endpoint, "eth_getBlockByNumber", ["latest", false]);
      // One that cannot be compared is not dropped for it; whether it answers shows when it is asked.
      const head = "result" in newest ? numberOf(newest.result) : undefined;
      const stale = head === undefined ? undefined : this.#judge(endpoint, head);
      if (stale) return stale;
    }
    endpoint.verified = true;
    const told = endpoint.fault !== undefined || this.#failureTold.delete(endpoint);
    endpoint.recovered();
    if (told) this.#tell("returned", endpoint, `The RPC endpoint ${endpoint.name} does well again and is asked again.`);
    return undefined;
  }

  #unwell(endpoint: Endpoint, failure: Failure): Failure {
    endpoint.rest();
    if (!endpoint.fault) this.#tellFailure(endpoint, failure);
    return { ...failure, sent: false };
  }

  /** Notes an endpoint's newest block, and drops whichever this shows to be wrong; a failure if it is the endpoint itself. */
  #judge(endpoint: Endpoint, head: number): Failure | undefined {
    endpoint.head = { number: head, at: performance.now() };
    if (this.#gathering) return undefined;
    const failure = this.#compare(endpoint);
    // What others said just now is also comparable; what they said earlier would only look old.
    for (const other of this.endpoints) {
      if (other !== endpoint && !other.fault && age(other) < COMPARABLE_MS) this.#compare(other);
    }
    return failure;
  }

  /** Compares an endpoint's newest block with those of the others, and drops it if it is not where they are. */
  #compare(endpoint: Endpoint): Failure | undefined {
    if (!endpoint.head) return undefined;
    const others = this.endpoints.flatMap((other) =>
      other === endpoint || other.fault || !other.head || age(other) > REMEMBERED_MS ? [] : [other.head.number],
    );
    const behind = lag(endpoint.head.number, others);
    if (behind < 0) return this.#drop(endpoint, { kind: "ahead", ahead: -behind });
    return behind > this.#options.maxBlocksBehind ? this.#drop(endpoint, { kind: "stale", behind }) : undefined;
  }

  #drop(endpoint: Endpoint, fault: NonNullable<Endpoint["fault"]>): Failure {
    const known = endpoint.fault?.kind === fault.kind;
    endpoint.fault = fault;
    endpoint.rest();
    const failure = this.#faultOf(endpoint);
    // Where there is only one, the error says it.
    if (!known && this.endpoints.length > 1) {
      this.#tell(
        "dropped",
        endpoint,
        `The RPC endpoint ${endpoint.name} ${failure.what}; it is not asked until it is right.`,
      );
    }
    return failure;
  }

  #faultOf({ fault }: Endpoint): Failure {
    const { chainId, maxBlocksBehind } = this.#options;
    if (fault?.kind === "chain") {
      const what = `serves chain ${String(fault.actual)}, but chain ${String(chainId)} is configured`;
      return { reason: "refused", what, sent: false };
    }
    const what =
      fault?.kind === "ahead"
        ? `is ${String(fault.ahead)} blocks ahead of all others, more than a day`
        : `is ${String(fault?.behind ?? 0)} blocks behind the others (maximum ${String(maxBlocksBehind)})`;
    return { reason: "behind", what, sent: false };
  }

  #tellFailure(endpoint: Endpoint, { reason, what }: Failure): void {
    if (this.endpoints.length < 2) return;
    const now = performance.now();
    if (now - (this.#failureTold.get(endpoint) ?? -Infinity) < QUIET_MS) return;
    this.#failureTold.set(endpoint, now);
    const message = `The RPC endpoint ${endpoint.name} gave no answer (${reason}: ${what}); the others are asked first for a while.`;
    this.#tell("failed", endpoint, message);
  }

  #tell(kind: EndpointEvent["kind"], { name }: Endpoint, message: string): void {
    this.#options.onEndpoint({ kind, endpoint: name, message });
  }
}

/** Milliseconds since an endpoint named its newest block. */
function age({ head }: Endpoint): number {
  return head ? performance.now() - head.at : Infinity;
}

async function one(
  endpoint: Endpoint,
  method: string,
  params: readonly unknown[] = [],
): Promise<{ result: unknown } | { failure: Failure }> {
  const [outcome] = await endpoint.ask([{ id: 0, method, params }]);
  if (outcome && "failure" in outcome) return { failure: outcome.failure };
  return { result: outcome && "result" in outcome.answer ? outcome.answer.result : undefined };
}

/** The newest block that an answer names, if it does. */
function headOf(outcome: Outcome): number | undefined {
  if (!("answer" in outcome) || !("result" in outcome.answer)) return undefined;
  const { method, params } = outcome.call;
  const { result } = outcome.answer;
  if (method === "eth_blockNumber") return Number(result);
  return method === "eth_getBlockByNumber" && isLatest(params) ? numberOf(result) : undefined;
}

function numberOf(block: unknown): number | undefined {
  return typeof block === "object" && block !== null && "number" in block && typeof block.number === "string"
    ? Number(block.number)
    : undefined;
}

function isLatest(params: RpcPayload["params"]): boolean {
  return Array.isArray(params) && params[0] === "latest";
}

/** Blocks of a day on BASE, one every 2 s: an endpoint that far ahead of all others does not tell the truth. */
const DAY_BLOCKS = 43_200;

/**
 * How far an endpoint is from where it should be, by the newest blocks that the endpoints name.
 *
 * With three endpoints or more, one that is more than a day's blocks ahead of all others is not believed, so that a
 * single one cannot make all others look stale. O(n log n).
 *
 * @param head Newest block of the endpoint in question.
 * @param others Newest blocks of the others, as far as they are known.
 * @returns Blocks by which it is behind the others (positive), or ahead beyond belief (negative); 0 if neither.
 */
export function lag(head: number, others: readonly number[]): number {
  const [first, second] = [...others].sort((a, b) => b - a);
  if (first === undefined) return 0;
  if (second === undefined) return Math.max(0, first - head);
  if (head - first > DAY_BLOCKS) return first - head;
  const highest = first - Math.max(second, head) > DAY_BLOCKS ? second : first;
  return Math.max(0, highest - head);
}
