import { requireCount, toBlock, toCount } from "./rpc-answers.ts";

/** Blocks that one step reads with their transactions. */
const BLOCKS_A_STEP = 8;

/** How far back is looked where nobody knows when the transaction was signed, blocks. */
const BLIND_BLOCKS = 256;

/** A transaction that was seen at a nonce. */
export interface SeenTransaction {
  readonly hash: string;
  readonly block: number;
  readonly blockHash: string;
}

/** Asks the chain, as a transaction queue does. */
type Ask = (method: string, parameters: readonly unknown[]) => Promise<unknown>;

/**
 * Looks for the transaction that used up a nonce, block by block: that a receipt is missing does not tell that another
 * transaction took its place. Each step costs at most some 40 calls, so that it can stand between two looks.
 */
export class NonceSearch {
  readonly #ask: Ask;
  readonly #address: string;
  readonly #nonce: number;
  readonly #since: number | undefined;
  #next: number | undefined;
  #found: SeenTransaction | undefined;

  /** @param since Newest block when the first transaction with this nonce was signed. */
  constructor(ask: Ask, address: string, nonce: number, since: number | undefined) {
    this.#ask = ask;
    this.#address = address;
    this.#nonce = nonce;
    this.#since = since;
  }

  /** One step. Undefined: not seen so far. @throws RpcUnavailableError */
  async step(): Promise<SeenTransaction | undefined> {
    if (this.#found) {
      const block = toBlock(await this.#ask("eth_getBlockByNumber", [`0x${this.#found.block.toString(16)}`, false]));
      if (block?.hash === this.#found.blockHash) return this.#found;
    }
    this.#found = await this.#lookOn();
    return this.#found;
  }

  async #lookOn(): Promise<SeenTransaction | undefined> {
    const head = requireCount(await this.#ask("eth_blockNumber", []), "a block number");
    const first = Math.max(0, this.#since === undefined ? head - BLIND_BLOCKS : Math.min(this.#since, head));
    const guess = await this.#bisect(first, head).catch(() => undefined);
    if (guess !== undefined) {
      const seen = await this.#lookInto(guess);
      if (seen) return seen;
    }
    // Endpoints without older states, and those whose counts do not fit their blocks.
    if (this.#next === undefined || this.#next > head) this.#next = first;
    const last = Math.min(head, this.#next + BLOCKS_A_STEP - 1);
    for (let number = this.#next; number <= last; number++) {
      const seen = await this.#lookInto(number);
      if (seen) return seen;
    }
    this.#next = last + 1;
    return undefined;
  }

  /** The block in which the count of transactions went above the nonce. O(log blocks) calls. */
  async #bisect(first: number, head: number): Promise<number | undefined> {
    if ((await this.#countAt(head)) <= this.#nonce) return undefined;
    let [low, high] = [first, head];
    if ((await this.#countAt(low)) > this.#nonce) return undefined;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.#countAt(middle)) > this.#nonce) high = middle;
      else low = middle;
    }
    return high;
  }

  async #countAt(block: number): Promise<number> {
    const answer = await this.#ask("eth_getTransactionCount", [this.#address, `0x${block.toString(16)}`]);
    return requireCount(answer, "a count of transactions");
  }

  async #lookInto(number: number): Promise<SeenTransaction | undefined> {
    const block = toBlock(await this.#ask("eth_getBlockByNumber", [`0x${number.toString(16)}`, true]));
    const found = block?.transactions.find(
      ({ from, nonce }) => nonce === this.#nonce && from.toLowerCase() === this.#address.toLowerCase(),
    );
    return block && found ? { hash: found.hash, block: block.number, blockHash: block.hash } : undefined;
  }
}

/** Blocks behind the newest from which on one counts as safe where the endpoint does not say. */
export const SAFE_DEPTH = 64;

/** The newest block that counts as safe: what the endpoint calls so, else one far behind the newest. */
export async function safeBlock(ask: Ask): Promise<number> {
  const said = await ask("eth_getBlockByNumber", ["safe", false]).catch(() => undefined);
  const number = toCount(said && (said as Record<string, unknown>)["number"]);
  if (number !== undefined) return number;
  return requireCount(await ask("eth_blockNumber", []), "a block number") - SAFE_DEPTH;
}
