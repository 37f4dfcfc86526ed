import { ChainError } from "@verai/client/errors";
import type { Finality, BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";

/** Whether something holds as of a block that is not undone, and if not, why. */
export type FinalityAnswer = { readonly holds: true } | { readonly holds: false; readonly why: string };

/**
 * Looks a second time at what cannot be made good again, at the newest block of the configured finality: an expiry takes
 * stake from a node, an abort throws a seed away. What only the newest blocks say may be undone by a reorganisation, and
 * with it the sign of life, or the seed, that is still to come.
 */
export class FinalityCheck {
  readonly #reader: Reader;
  readonly #finality: Finality;

  /** @param finality With `latest` everything counts at once. */
  constructor(reader: Reader, finality: Finality) {
    this.#reader = reader;
    this.#finality = finality;
  }

  /**
   * Asks whether something also holds there. An endpoint that has no such block, or gives no answer, is no yes.
   *
   * @param judge Looks at that block. It may be older than what is judged.
   */
  async holds(judge: (at: BlockReference) => Promise<boolean>): Promise<FinalityAnswer> {
    if (this.#finality === "latest") return { holds: true };
    try {
      const block = await this.#reader.block(this.#finality);
      if (await judge(block)) return { holds: true };
      return { holds: false, why: `not yet so at the newest ${this.#finality} block, ${String(block.number)}` };
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return { holds: false, why: error.message };
    }
  }
}
