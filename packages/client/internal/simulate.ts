import { ChainError } from "../errors.ts";
import { explain } from "../error-messages.ts";
import type { TransactionQueueOptions, TransactionRequest, PreparedTransaction } from "../tx/types.ts";
import { type Fees, suggestFees } from "./fees.ts";
import type { QueueContext } from "./pending-transaction.ts";
import { eth } from "./format.ts";
import { toBlock, toQuantity, unreadable } from "./rpc-answers.ts";

/** Maximum gas that one transaction may use on BASE (EIP-7825). */
export const TRANSACTION_GAS_CAP = 2n ** 24n;

/** Minimum gas of any transaction. */
const INTRINSIC_GAS = 21_000n;

/** What a new transaction should offer, and what that was reckoned from. */
export interface Suggestion {
  readonly fees: Fees;
  /** Wei. */
  readonly baseFee: bigint;
  /** Number of the newest block. */
  readonly block: number;
}

/** All that happens before a transaction is signed. */
export class TransactionSimulator {
  readonly #context: QueueContext;
  readonly #options: TransactionQueueOptions;

  constructor(context: QueueContext, options: TransactionQueueOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * What to send now, simulated; null if nothing.
   *
   * @throws What `prepare` throws, or the explained refusal.
   */
  async decide({ label, prepare }: TransactionRequest): Promise<PreparedTransaction | null> {
    const { provider, address, ask } = this.#context;
    const payload = await prepare();
    if (!payload) {
      this.#context.emit({ kind: "unneeded", label });
      return null;
    }
    const { to, data = "0x", value = 0n, gasReserve = 0n } = payload;
    return this.#orRefuse(label, async () => {
      // At "latest" and not at "pending", where a transaction of ours would stand in its own way.
      const call = provider.getRpcTransaction({ from: address, to, data, value });
      const answered = await ask("eth_estimateGas", [call, "latest"]);
      const estimate = toQuantity(answered);
      if (estimate === undefined || estimate < INTRINSIC_GAS) throw unreadable("an estimate of gas", answered);
      const limit = gasLimit(estimate, this.#options.gasMarginPercent ?? 100, gasReserve);
      return { to, data, value, estimate, gasLimit: limit };
    });
  }

  /**
   * Fees for a new transaction, which the signer can pay.
   *
   * @throws ChainError `FEE_ABOVE_CAP` or `ETH_TOO_LOW`.
   */
  async fees(label: string, transaction: PreparedTransaction): Promise<Suggestion> {
    const { ask, address } = this.#context;
    return this.#orRefuse(label, async () => {
      const suggestion = await this.suggest();
      const answered = await ask("eth_getBalance", [address, "latest"]);
      const balance = toQuantity(answered);
      if (balance === undefined) throw unreadable("a balance", answered);
      const most = transaction.gasLimit * suggestion.fees.maxFeePerGas + transaction.value;
      if (balance >= most) return suggestion;
      throw new ChainError(
        "ETH_TOO_LOW",
        false,
        `${address} has ${eth(balance)}, but "${label}" may cost up to ${eth(most)}; send it ${eth(most - balance)} on this chain.`,
        { details: { balance, most } },
      );
    });
  }

  /** What a new transaction should offer per gas now. */
  async suggest(): Promise<Suggestion> {
    const { ask } = this.#context;
    const { priorityFeePerGas: fixed, maxFeePerGas: cap } = this.#options;
    const answered = await ask("eth_getBlockByNumber", ["latest", false]);
    const block = toBlock(answered);
    if (!block) throw unreadable("the newest block", answered);
    // Not every node has the method, and its answer is a suggestion only: without one, the floor is offered.
    const suggested =
      fixed === undefined ? await ask("eth_maxPriorityFeePerGas", []).catch(() => undefined) : undefined;
    const baseFee = block.baseFee ?? 0n;
    return { fees: suggestFees(baseFee, toQuantity(suggested), cap, fixed), baseFee, block: block.number };
  }

  /** Explains and reports a failure: nothing will be sent. */
  async #orRefuse<T>(label: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const explained = explain(error);
      this.#context.emit({ kind: "refused", label, error: explained });
      throw explained;
    }
  }
}

/** Minimum gas on top of an estimate: changing a node's listing costs about as much where its tick was empty. */
export const MIN_GAS_MARGIN = 150_000n;

function gasLimit(estimate: bigint, marginPercent: number, reserve: bigint): bigint {
  if (estimate > TRANSACTION_GAS_CAP) {
    throw new ChainError(
      "GAS_TOO_HIGH",
      false,
      `The transaction needs ${String(estimate)} gas, more than the ${String(TRANSACTION_GAS_CAP)} that one may use; do less in one transaction.`,
      { details: { estimate } },
    );
  }
  const share = (estimate * BigInt(marginPercent)) / 100n;
  const limit = estimate + (share > MIN_GAS_MARGIN ? share : MIN_GAS_MARGIN) + reserve;
  return limit < TRANSACTION_GAS_CAP ? limit : TRANSACTION_GAS_CAP;
}
