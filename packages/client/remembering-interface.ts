import { type BytesLike, type FunctionFragment, Interface, type Result } from "ethers";

import { answerDecoder, type AnswerDecoder } from "./internal/abi-decoder.ts";

/** Answers and calls of one function that are remembered, and characters of an answer above which it is not. */
const MOST = 8;
const MAX_CHARACTERS = 16 * 1024;

/**
 * A contract's interface that takes answers apart quickly ({@link answerDecoder}), and remembers what its functions were last called with and answered. Who looks at the same records in each
 * cycle finds most of them as they were, and taking one apart once more costs more than reading it: some 0.2 ms of CPU a node, and
 * garbage. What is returned is immutable, so that it may be shared. Bounded: {@link MOST} answers a function, the oldest go first.
 */
export class RememberingInterface extends Interface {
  readonly #answers = new Map<string, Map<string, Result>>();
  readonly #decoders = new Map<FunctionFragment, AnswerDecoder>();
  readonly #calls = new Map<string, Map<string, string>>();

  override decodeFunctionResult(fragment: FunctionFragment | string, data: BytesLike): Result {
    if (typeof fragment === "string" || typeof data !== "string") return super.decodeFunctionResult(fragment, data);
    if (data.length > MAX_CHARACTERS) return this.#decode(fragment, data);
    return remembered(this.#answers, fragment.selector, data, () => this.#decode(fragment, data));
  }

  #decode(fragment: FunctionFragment, data: string): Result {
    let decode = this.#decoders.get(fragment);
    if (!decode) this.#decoders.set(fragment, (decode = answerDecoder(fragment.outputs)));
    return decode(data) ?? super.decodeFunctionResult(fragment, data);
  }

  override encodeFunctionData(fragment: FunctionFragment | string, values?: readonly unknown[]): string {
    const key = values && keyOf(values);
    if (typeof fragment === "string" || key === undefined) return super.encodeFunctionData(fragment, values);
    return remembered(this.#calls, fragment.selector, key, () => super.encodeFunctionData(fragment, values));
  }
}

/** What a function's arguments are known by; undefined for what is not a few plain values. */
function keyOf(values: readonly unknown[]): string | undefined {
  const isPlain = values.every((value) => ["number", "bigint", "boolean"].includes(typeof value));
  return isPlain ? values.map((value) => `${typeof value} ${String(value)}`).join() : undefined;
}

/** A value by selector and key: the one that is known, or the one that is made now. What throws is not remembered. */
function remembered<T>(all: Map<string, Map<string, T>>, selector: string, key: string, make: () => T): T {
  let known = all.get(selector);
  if (!known) all.set(selector, (known = new Map<string, T>()));
  const value = known.get(key);
  if (value !== undefined) return value;
  const made = make();
  const [oldest] = known.keys();
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest);
  known.set(key, made);
  return made;
}
