import { solidityPackedKeccak256 } from "ethers";
import { monotonicMs } from "@verai/system/clock";

/**
 * When it is an operator's turn to post something that any operator may post: all know the same plan, so if each waits
 * for another while, the first has settled it before the others spend gas, and over many rounds each is first as often.
 *
 * @param address The operator's.
 * @param what What is to be posted, such as `round 7`.
 * @param spreadMs The longest wait, milliseconds; 0: nobody waits.
 * @returns Milliseconds to wait from the moment in which it can be posted, evenly distributed below `spreadMs`.
 */
export function staggerOf(address: string, what: string, spreadMs: number): number {
  if (spreadMs <= 0) return 0;
  const hash = BigInt(solidityPackedKeccak256(["address", "string"], [address, what]));
  return Number(hash % BigInt(Math.floor(spreadMs)));
}

/** Remembers since when something could be posted, and says whether it is this operator's turn. */
export class Stagger {
  readonly #address: string;
  readonly #spreadMs: number;
  readonly #now: () => number;
  readonly #since = new Map<string, number>();

  /** @param now Monotonic clock, milliseconds. */
  constructor(address: string, spreadMs: number, now: () => number = monotonicMs) {
    this.#address = address;
    this.#spreadMs = spreadMs;
    this.#now = now;
  }

  /** Milliseconds left until it is this operator's turn; 0 if it is. */
  left(what: string): number {
    let since = this.#since.get(what);
    if (since === undefined) {
      // One thing is posted at a time: what came before is no longer of interest.
      this.#since.clear();
      since = this.#now();
      this.#since.set(what, since);
    }
    return Math.max(0, since + staggerOf(this.#address, what, this.#spreadMs) - this.#now());
  }
}
