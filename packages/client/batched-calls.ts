import { AbiCoder, type ContractRunner, Interface, type Provider, type TransactionRequest } from "ethers";

import { abiOf } from "./abi.ts";
import { RpcUnavailableError } from "./errors.ts";
import { explain } from "./error-messages.ts";

/** Calls that one request carries, and bytes of their calldata: more become several requests. */
const MAX_CALLS = 256;
const MAX_BYTES = 96 * 1024;

const LENS = new Interface(abiOf("Lens"));
/** Selector of `Lens.read`. */
const READ = LENS.getFunction("read")?.selector ?? "0x";

/** What a smaller request may cure. */
const TOO_MUCH = ["OUT_OF_GAS", "GAS_TOO_HIGH", "REVERTED_WITHOUT_REASON"];

/** Runs something once what is under way is done. Browsers, where this module also runs, have no setImmediate. */
const nextTurn: (run: () => void) => unknown =
  typeof setImmediate === "function" ? setImmediate : (run) => setTimeout(run, 0);

interface Waiting {
  readonly tx: TransactionRequest;
  readonly to: string;
  readonly data: string;
  readonly resolve: (data: string) => void;
  readonly reject: (error: Error) => void;
}

/** What a view answered, or reverted with. */
interface Outcome {
  readonly ok: boolean;
  readonly data: string;
}

/**
 * What `Lens.read` answers: the block's number and the outcomes. ethers' decoder copies all that is left of an answer for each
 * part of it, which takes seconds where hundreds of views answer megabytes; this takes each part once. O(bytes).
 *
 * @param answer Hexadecimal.
 * @returns undefined for what is not encoded as it should be: ethers then says what is wrong with it.
 */
export function outcomesIn(answer: string): [bigint, Outcome[]] | undefined {
  const bytes = (answer.length - 2) / 2;
  const within = (at: number, length: number): boolean => at + length <= bytes;
  const wordAt = (at: number): number => {
    if (!within(at, 32)) return NaN;
    const word = answer.slice(2 + 2 * at, 66 + 2 * at);
    // Places and lengths beyond the answer are no places.
    return word.startsWith("0".repeat(52)) ? Number(`0x${word}`) : NaN;
  };
  const [number, list] = [wordAt(0), wordAt(32)];
  const count = wordAt(list);
  if (Number.isNaN(number) || Number.isNaN(count) || !within(list + 32, 32 * count)) return undefined;
  const outcomes: Outcome[] = [];
  for (let i = 0; i < count; i++) {
    const at = list + 32 + wordAt(list + 32 + 32 * i);
    const ok = wordAt(at);
    const from = at + wordAt(at + 32);
    const length = wordAt(from);
    if (!(ok <= 1) || !within(from + 32, length)) return undefined;
    outcomes.push({ ok: ok === 1, data: `0x${answer.slice(66 + 2 * from, 66 + 2 * (from + length))}` });
  }
  return [BigInt(number), outcomes];
}

/**
 * Calldata of `Lens.read` for these calls. ethers' encoder checks each address by a hash of it, and goes through each part several times;
 * an agent does this in each cycle. O(bytes).
 *
 * @param calls Addresses and calldata, hexadecimal, as ethers gives them.
 */
export function readCalldata(calls: readonly { readonly to: string; readonly data: string }[]): string {
  const word = (value: number): string => value.toString(16).padStart(64, "0");
  const parts = calls.map(({ to, data }) => {
    const bytes = data.slice(2);
    const padded = bytes.padEnd(Math.ceil(bytes.length / 64) * 64, "0");
    return to.slice(2).toLowerCase().padStart(64, "0") + word(64) + word(bytes.length / 2) + padded;
  });
  let at = 32 * calls.length;
  const places = parts.map((part) => {
    const place = word(at);
    at += part.length / 2;
    return place;
  });
  return `${READ}${word(32)}${word(calls.length)}${places.join("")}${parts.join("")}`;
}

/**
 * Runs the contracts' views: those asked for in the same turn of the event loop, at the same block, go out as one request,
 * read through `Lens.read`. So what is read together is also of one state, and what code asks for in a loop costs a call.
 *
 * A view that reverts fails alone, with what it reverted with. A request that is too much for an endpoint is halved until
 * it is not. An endpoint that reads at another block than the one asked for gave no answer.
 */
export class BatchedCalls implements ContractRunner {
  readonly provider: Provider;
  readonly #lens: string;
  readonly #isView: (to: string, selector: string) => boolean;
  /** By block. */
  #waiting = new Map<string, Waiting[]>();
  /** Calls that a request carries now; halved where an endpoint takes fewer. */
  #most = MAX_CALLS;

  /**
   * @param lens Address of the deployed Lens.
   * @param isView Tells whether a contract's function changes nothing; what may change something is simulated by itself.
   */
  constructor(provider: Provider, lens: string, isView: (to: string, selector: string) => boolean) {
    this.provider = provider;
    this.#lens = lens;
    this.#isView = isView;
  }

  /** Calls a view. */
  async call(tx: TransactionRequest): Promise<string> {
    const { to, data } = tx;
    const plain =
      typeof to === "string" && typeof data === "string" && (tx.from ?? tx.value ?? undefined) === undefined;
    if (!plain || !this.#isView(to, data.slice(0, 10))) return this.provider.call(tx);
    const at = String(tx.blockTag ?? "latest");
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let waiting = this.#waiting.get(at);
    if (!waiting) {
      waiting = [];
      this.#waiting.set(at, waiting);
      nextTurn(() => {
        this.#send(at);
      });
    }
    waiting.push({ tx, to, data, resolve, reject });
    return promise;
  }

  async estimateGas(tx: TransactionRequest): Promise<bigint> {
    return this.provider.estimateGas(tx);
  }

  async resolveName(name: string): Promise<string | null> {
    return this.provider.resolveName(name);
  }

  #send(at: string): void {
    const waiting = this.#waiting.get(at) ?? [];
    this.#waiting.delete(at);
    for (let from = 0; from < waiting.length;) {
      let to = from;
      for (let bytes = 0; to < waiting.length && to - from < this.#most; to++) {
        bytes += (waiting[to]?.data.length ?? 0) / 2;
        if (bytes > MAX_BYTES && to > from) break;
      }
      void this.#ask(at, waiting.slice(from, to));
      from = to;
    }
  }

  async #ask(at: string, calls: readonly Waiting[]): Promise<void> {
    if (calls.length <= 1) {
      for (const { tx, resolve, reject } of calls) await this.provider.call(tx).then(resolve, reject);
      return;
    }
    const blockTag = /^\d+$/.test(at) ? Number(at) : at;
    const data = readCalldata(calls);
    let answered: readonly Outcome[];
    try {
      const found = await this.provider.call({ to: this.#lens, data, blockTag });
      const [number, outcomes] =
        outcomesIn(found) ?? (LENS.decodeFunctionResult("read", found) as unknown as [bigint, Outcome[]]);
      answered = outcomes;
      if (typeof blockTag === "number" && number !== BigInt(blockTag)) {
        throw new RpcUnavailableError(
          "behind",
          `The RPC endpoint read at block ${String(number)}, not at block ${String(blockTag)}; wait until it has caught up, or use another endpoint.`,
        );
      }
    } catch (error) {
      const explained = explain(error);
      const tooMuch =
        explained instanceof RpcUnavailableError
          ? explained.reason === "too-large" || explained.reason === "timeout"
          : TOO_MUCH.includes(explained.code);
      if (!tooMuch) {
        for (const { reject } of calls) reject(explained);
        return;
      }
      const half = Math.ceil(calls.length / 2);
      this.#most = Math.max(8, Math.min(this.#most, half));
      await Promise.all([this.#ask(at, calls.slice(0, half)), this.#ask(at, calls.slice(half))]);
      return;
    }
    calls.forEach(({ tx, data: of, to, resolve, reject }, i) => {
      const outcome = answered[i];
      if (outcome?.ok === true) resolve(outcome.data);
      // Nothing at all may only mean that the gas for all of them was used up.
      else if (outcome === undefined || outcome.data === "0x") this.provider.call(tx).then(resolve, reject);
      else reject(AbiCoder.getBuiltinCallException("call", { to, data: of }, outcome.data));
    });
  }
}
