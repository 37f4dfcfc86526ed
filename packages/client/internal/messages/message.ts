/** How a contract's error is told to people. */
export interface ErrorMessage {
  /** Values and remedy, from the error's arguments. */
  readonly say: (args: Args) => string;
  /** Whether the same call may succeed later although nobody changes anything (time passes, an oracle answers…). */
  readonly retryable?: true;
}

/** Sentences by the error's signature, such as `AskNotOnTick(uint256,uint256)`. */
export type ErrorMessages = Readonly<Record<string, ErrorMessage>>;

/** Typed access to an error's arguments by their names. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(names: readonly string[], values: readonly unknown[]) {
    this.#values = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  }

  /** An unsigned integer; some libraries decode short ones as numbers. */
  int(name: string): bigint {
    const value = this.#get(name);
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value !== "bigint") throw new TypeError(`${name} is no integer`);
    return value;
  }

  /** An address, hash or text as it is; an integer in decimals. */
  text(name: string): string {
    return String(this.#get(name));
  }

  /** All arguments, for structured logs. */
  plain(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  #get(name: string): unknown {
    if (!(name in this.#values)) throw new TypeError(`the error has no argument ${name}`);
    return this.#values[name];
  }
}

/** A sentence without values. */
export function fixed(text: string): ErrorMessage {
  return { say: () => text };
}
