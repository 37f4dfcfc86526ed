import { toQuantity } from "ethers";

import { RpcUnavailableError } from "./errors.ts";
import { explain } from "./error-messages.ts";

/** A log of a contract, as the chain has it. */
export interface EventLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly block: number;
  readonly blockHash: string;
  readonly index: number;
  /** Hash of the transaction; empty if the endpoint does not say. */
  readonly transaction: string;
  /** Chain time of the block, seconds, from endpoints that say so. */
  readonly timestamp?: number;
}

/** Which logs are asked for. */
export interface LogFilter {
  readonly address: readonly string[];
  /** By place: one of these, or null for any. */
  readonly topics: readonly (readonly string[] | null)[];
}

/** The part of a provider that is used here. */
export interface LogSource {
  send(method: string, params: unknown[]): Promise<unknown>;
}

/** Blocks that one request covers at most: what most providers take. */
const MAX_RANGE = 10_000;

/** Good requests in a row after which a larger range is tried again; each time that was too much, twice as many, up to a bound. */
const GOOD_IN_A_ROW = 8;
const MOST_IN_A_ROW = 128;

/** A number of logs at which an answer may have been cut off without a word: whole thousands. */
const SUSPECT = 1_000;

/** How providers say that a range, or what is in it, is too much. */
const RANGE_WORDS =
  /range|more than|too many|too large|too big|exceed|limit(ed)? (to|of)|\blimit\b|response size|query timeout|10,?000|results/i;

/** How ranges are read one after another. */
export interface ScanAhead {
  /** Ranges that are asked for beyond the one that is taken: so many answers are held at most. Default 0. */
  readonly ahead?: number;
  /** Told of each request before it leaves, by the last block that it covers. */
  readonly onAsk?: (through: number) => void;
}

/** A range that was asked for. */
interface Asked {
  readonly answer: Promise<{ readonly logs: EventLog[]; readonly last: number }>;
  /** Last block; the answer may end earlier, where the endpoint takes less. */
  readonly last: number;
}

/**
 * Reads logs in ranges of blocks that fit the endpoint: halved as long as it fails on their size, grown back slowly. What an
 * endpoint sends that was not asked for, or that does not fit together, is no answer; an answer of a whole thousand logs may
 * have been cut, and is asked for again in halves.
 *
 * An answer without logs proves nothing: an endpoint may lag, or lie. Who concludes something from a missing log looks at the
 * state as well.
 */
export class LogScanner {
  readonly #source: LogSource;
  readonly #most: number;
  #range: number;
  #good = 0;
  /** Good requests in a row that a larger range waits for, and whether it has just become larger. */
  #patience = GOOD_IN_A_ROW;
  #isGrown = false;

  constructor(source: LogSource, mostBlocks = MAX_RANGE) {
    this.#source = source;
    this.#most = mostBlocks;
    this.#range = mostBlocks;
  }

  /** Blocks that the next request covers. */
  get range(): number {
    return this.#range;
  }

  /** All logs of blocks `from` … `to`, in order. O(blocks / range) requests. */
  async scan(filter: LogFilter, from: number, to: number): Promise<EventLog[]> {
    const logs: EventLog[] = [];
    await this.each(filter, from, to, (found) => {
      logs.push(...found);
    });
    return logs;
  }

  /**
   * The same range by range. Several requests may be under way; what they bring is taken in order.
   *
   * @param take Told the logs of each range, and its last block; what it has taken is not read again if a later range fails.
   * Answers that are still to come are dropped if taking fails.
   */
  async each(
    filter: LogFilter,
    from: number,
    to: number,
    take: (logs: readonly EventLog[], through: number) => Promise<void> | void,
    { ahead = 0, onAsk }: ScanAhead = {},
  ): Promise<void> {
    const asked: Asked[] = [];
    const ask = (first: number, last: number): Asked => {
      const answer = this.#step(filter, first, (range) => Math.min(last, first + range - 1), onAsk);
      // Whether it fails is looked at when its turn comes.
      answer.catch(() => undefined);
      return { answer, last };
    };
    let next = from;
    const fill = (most: number) => {
      for (; asked.length < most && next <= to; next = (asked.at(-1)?.last ?? to) + 1) {
        asked.push(ask(next, Math.min(to, next + this.#range - 1)));
      }
    };
    fill(1 + ahead);
    for (let under = asked.shift(); under; under = asked.shift()) {
      const { logs, last } = await under.answer;
      // What the endpoint did not take in one answer comes before all that was asked for meanwhile.
      if (last < under.last && asked.length === 0) next = last + 1;
      else if (last < under.last) asked.unshift(ask(last + 1, under.last));
      // What taking asks for itself is asked for first.
      const taken = take(logs, last);
      fill(ahead);
      await taken;
      fill(1);
    }
  }

  /**
   * Reads from `from` down to `to`, and ends as soon as enough was found.
   *
   * @param take Told the logs of each range, and its first block; true ends.
   */
  async back(
    filter: LogFilter,
    from: number,
    to: number,
    take: (logs: readonly EventLog[], down: number) => Promise<boolean> | boolean,
  ): Promise<void> {
    for (let next = from; next >= to;) {
      const { logs, first } = await this.#step(filter, (range) => Math.max(to, next - range + 1), next);
      if (await take(logs, first)) return;
      next = first - 1;
    }
  }

  async #step(
    filter: LogFilter,
    from: number | ((range: number) => number),
    to: number | ((range: number) => number),
    onAsk?: (through: number) => void,
  ): Promise<{ logs: EventLog[]; first: number; last: number }> {
    for (;;) {
      const first = typeof from === "number" ? from : from(this.#range);
      const last = typeof to === "number" ? to : to(this.#range);
      onAsk?.(last);
      try {
        const logs = await this.#ask(filter, first, last);
        const isSuspect = logs.length >= SUSPECT && logs.length % SUSPECT === 0;
        if (!isSuspect || first === last || !this.#halve(last - first + 1)) {
          this.#served();
          return { logs, first, last };
        }
      } catch (error) {
        const explained = explain(error);
        if (!isTooMuch(explained) || first === last || !this.#halve(last - first + 1)) throw explained;
      }
    }
  }

  async #ask(filter: LogFilter, from: number, to: number): Promise<EventLog[]> {
    const answered = await this.#source.send("eth_getLogs", [
      {
        address: [...filter.address],
        topics: filter.topics.map((topic) => (topic === null ? null : [...topic])),
        fromBlock: toQuantity(from),
        toBlock: toQuantity(to),
      },
    ]);
    if (!Array.isArray(answered)) throw unasked("something that is no list of logs");
    const logs = answered.map(toLog);
    const addresses = new Set(filter.address.map((address) => address.toLowerCase()));
    const hashes = new Map<number, string>();
    for (const { address, topics, block, blockHash } of logs) {
      if (block < from || block > to)
        throw unasked(`a log of block ${String(block)} for ${String(from)} to ${String(to)}`);
      if (!addresses.has(address.toLowerCase())) throw unasked(`a log of ${address}`);
      const isMatch = filter.topics.every((wanted, place) => wanted === null || wanted.includes(topics[place] ?? ""));
      if (!isMatch) throw unasked(`a log of ${topics[0] ?? "no event"}`);
      if ((hashes.get(block) ?? blockHash) !== blockHash) throw unasked(`two blocks ${String(block)}`);
      hashes.set(block, blockHash);
    }
    return logs.sort((a, b) => a.block - b.block || a.index - b.index);
  }

  /** @param asked Blocks that were too many; @returns false if it cannot get smaller. */
  #halve(asked: number): boolean {
    this.#good = 0;
    if (this.#isGrown) this.#patience = Math.min(2 * this.#patience, MOST_IN_A_ROW);
    this.#isGrown = false;
    // Of several that were under way at once the first has made it smaller.
    if (asked > this.#range) return true;
    const half = Math.floor(asked / 2);
    if (half < 1) return false;
    this.#range = half;
    return true;
  }

  #served(): void {
    this.#good += 1;
    if (this.#isGrown && this.#good >= GOOD_IN_A_ROW) {
      this.#isGrown = false;
      this.#patience = GOOD_IN_A_ROW;
    }
    if (this.#good < this.#patience || this.#range >= this.#most) return;
    this.#good = 0;
    this.#isGrown = true;
    this.#range = Math.min(this.#most, this.#range * 2);
  }
}

function toLog(value: unknown): EventLog {
  const log = value as Record<string, unknown>;
  const { address, topics, data, blockNumber, blockHash, logIndex, transactionHash, blockTimestamp, removed } = log;
  if (removed === true) throw unasked("a log that a reorganisation has removed");
  const isWhole =
    typeof address === "string" &&
    typeof data === "string" &&
    typeof blockHash === "string" &&
    Array.isArray(topics) &&
    topics.every((topic) => typeof topic === "string");
  const [block, index] = [Number(blockNumber), Number(logIndex)];
  if (!isWhole || !Number.isSafeInteger(block) || !Number.isSafeInteger(index))
    throw unasked("a log without its parts");
  const transaction = typeof transactionHash === "string" ? transactionHash : "";
  const timestamp = typeof blockTimestamp === "string" ? Number(blockTimestamp) : NaN;
  const known = { address, topics, data, block, blockHash, index, transaction };
  return Number.isSafeInteger(timestamp) ? { ...known, timestamp } : known;
}

function isTooMuch(error: Error): boolean {
  if (error instanceof RpcUnavailableError && (error.reason === "too-large" || error.reason === "timeout")) return true;
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return RANGE_WORDS.test(`${error.message} ${cause}`);
}

function unasked(what: string): RpcUnavailableError {
  return new RpcUnavailableError(
    "server",
    `The RPC endpoint answered a request for logs with ${what}; use another endpoint if it goes on.`,
  );
}
