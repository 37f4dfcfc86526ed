import { type JsonRpcApiProvider, keccak256, type Signer, Transaction, type TransactionReceipt } from "ethers";

import { ChainError, ContractRefusalError, RpcUnavailableError } from "../errors.ts";
import { explain } from "../error-messages.ts";
import type { Cost, TransactionEvent, TransactionRequest, PreparedTransaction } from "../tx/types.ts";
import type { Fees } from "./fees.ts";
import type { Journal, SentTransaction } from "./journal.ts";
import { NonceSearch, safeBlock, type SeenTransaction } from "./nonce-search.ts";
import { answerWithin, pause } from "./time-outs.ts";
import { type ReadReceipt, requireCount, toBlock, toReceipt } from "./rpc-answers.ts";
import { innermostWords, MAY_BE_MINED, readSendAnswer, type SendAnswer, wordsOf } from "./send-refusal.ts";

/** What flights share. */
export interface QueueContext {
  readonly signer: Signer;
  readonly provider: JsonRpcApiProvider;
  readonly chainId: number;
  readonly address: string;
  readonly journal: Journal;
  readonly confirmations: number;
  readonly stuckAfterMs: number;
  readonly pollMs: number;
  readonly callMs: number;
  readonly emit: (event: TransactionEvent) => void;
  /** Asks the chain within `callMs`. @throws RpcUnavailableError, or the explained error that was answered. */
  readonly ask: (method: string, parameters: readonly unknown[]) => Promise<unknown>;
}

/** How a nonce was used up. */
export type NonceOutcome =
  /** By one of the transactions of the journal; `own` if this flight signed it. */
  | {
      readonly kind: "mined";
      readonly receipt: TransactionReceipt;
      readonly cost: Cost;
      readonly sent: SentTransaction;
      readonly own: boolean;
      readonly waitedMs: number;
    }
  /** Another transaction was seen at the nonce, in a safe block. */
  | { readonly kind: "displaced"; readonly by: string }
  /** The nonce is used at a safe block, and no block that the endpoint shows holds a transaction with it. */
  | { readonly kind: "unseen" }
  /** Nothing of ours was signed for the nonce, and it is used. */
  | { readonly kind: "gone" }
  /** The wait was given up because the node does not take what was signed. */
  | { readonly kind: "refused"; readonly answer: SendAnswer; readonly words: string };

/** What came of handing a transaction to the node. */
export interface SendResult {
  readonly hash: string;
  readonly answer: SendAnswer | "accepted";
  /** The node's own words; empty if it took it. */
  readonly words: string;
  /** The contract's refusal, if a node that mines at once told of one. */
  readonly refusal?: ContractRefusalError;
}

/** Transactions that are signed for one nonce at most: each is asked for at every look. */
const MAX_SIGNED = 64;

/** One nonce in flight, with all transactions that were signed for it. */
export class PendingTransaction {
  readonly nonce: number;
  readonly label: string;
  readonly #context: QueueContext;
  readonly #signed: TransactionRequest["signed"];
  readonly #own = new Set<string>();
  readonly #search: { current?: NonceSearch } = {};
  /** Monotonic times, milliseconds. */
  readonly #since = performance.now();
  #sentAt = performance.now();
  #unseenSince: number | undefined;
  /** Why the node does not take the newest transaction, and since when. */
  #refused: { readonly answer: SendAnswer; readonly words: string; readonly since: number } | undefined;
  /** Newest block when it was first signed. */
  block: number | undefined;

  /** @param signed Told of each transaction before it is sent; see `TransactionRequest.signed`. */
  constructor(context: QueueContext, nonce: number, label: string, signed?: TransactionRequest["signed"]) {
    this.#context = context;
    this.nonce = nonce;
    this.label = label;
    this.#signed = signed;
  }

  /** Fees of the newest transaction, if one is known. */
  get fees(): Fees | undefined {
    const last = this.sent.at(-1);
    return last && { maxFeePerGas: BigInt(last.maxFeePerGas), maxPriorityFeePerGas: BigInt(last.maxPriorityFeePerGas) };
  }

  /** Everything that was signed for the nonce, oldest first. */
  get sent(): readonly SentTransaction[] {
    return this.#context.journal.get(this.nonce)?.sent ?? [];
  }

  /** Hashes that this flight has signed itself. */
  get own(): readonly string[] {
    return [...this.#own];
  }

  /** What the newest transaction that is kept does; undefined if none is. */
  get lastTransaction(): PreparedTransaction | undefined {
    const raw = this.sent.findLast((each) => !each.cancels && each.raw !== undefined)?.raw;
    if (raw === undefined) return undefined;
    const { to, data, value, gasLimit } = Transaction.from(raw);
    return to === null ? undefined : { to, data, value, gasLimit, estimate: gasLimit };
  }

  /**
   * Signs a transaction with this nonce, notes it, and hands it to the node. Once it is noted it stays so, whatever the
   * node says, until the nonce is used at a safe block.
   *
   * @param signal Nothing is handed over once it is raised.
   * @throws ChainError `JOURNAL_FAILED`, or why it cannot be signed: nothing was handed over.
   */
  async send(transaction: PreparedTransaction, fees: Fees, cancels: boolean, signal: AbortSignal): Promise<SendResult> {
    const { signer, chainId, journal, callMs } = this.#context;
    const { to, data, value, gasLimit } = transaction;
    const unsigned = { type: 2, chainId, nonce: this.nonce, to, data, value, gasLimit, ...fees };
    const raw = await answerWithin(callMs, "a request for a signature", signer.signTransaction(unsigned));
    const hash = keccak256(raw);
    const before = journal.get(this.nonce);
    if ((before?.sent.length ?? 0) >= MAX_SIGNED) {
      const message = `${String(MAX_SIGNED)} transactions are signed for nonce ${String(this.nonce)} ("${this.label}") and none is mined; check the endpoint.`;
      throw new ChainError("TOO_MANY_SIGNED", true, message);
    }
    const sent: SentTransaction = {
      hash,
      maxFeePerGas: String(fees.maxFeePerGas),
      maxPriorityFeePerGas: String(fees.maxPriorityFeePerGas),
      cancels,
      label: this.label,
      most: String(gasLimit * fees.maxFeePerGas),
      raw,
    };
    signal.throwIfAborted();
    // Before it is sent: a crash in between leaves an entry too many, which does no harm; one too few would.
    const since = before?.since ?? this.block;
    await journal.put({
      nonce: this.nonce,
      label: this.label,
      sent: [...(before?.sent ?? []), sent],
      ...(since !== undefined && { since }),
      ...(before?.promised === true && { promised: true }),
    });
    await this.#signed?.({ nonce: this.nonce, hash, ...(since !== undefined && { block: since }) });
    signal.throwIfAborted();
    this.#own.add(hash);
    const handed = await this.#hand(raw, hash);
    this.#sentAt = performance.now();
    return handed;
  }

  /** Hands the newest transaction to the node again, in case it has lost it or would not take it. */
  async resend(): Promise<void> {
    const last = this.sent.at(-1);
    if (last?.raw !== undefined) await this.#hand(last.raw, last.hash);
  }

  /**
   * Waits until the nonce is used up. An endpoint that gives no usable answer is asked again.
   *
   * @param onStuck Called when nothing has been mined for `stuckAfterMs`, and again each time as long has passed.
   * @param signal Ends the waiting, throwing its reason; the transaction stays in flight and in the journal.
   * @param giveUp Whether the wait ends once the node has refused it for long, without knowing it.
   */
  async land(onStuck: () => Promise<void>, signal: AbortSignal, giveUp: boolean): Promise<NonceOutcome> {
    const { pollMs, stuckAfterMs, emit } = this.#context;
    for (;;) {
      signal.throwIfAborted();
      try {
        const found = await this.#look();
        if (typeof found === "object") return found;
        if (found === "open" && performance.now() - this.#sentAt >= stuckAfterMs) {
          this.#sentAt = performance.now();
          const refused = giveUp ? await this.#turnedAway() : undefined;
          if (refused) return { kind: "refused", ...refused };
          await onStuck();
        } else if (found === "open" && this.#refused?.answer === "busy") {
          await this.resend();
        }
      } catch (error) {
        signal.throwIfAborted();
        emit({ kind: "unreachable", label: this.label, error: explain(error) });
      }
      await pause(pollMs, signal);
    }
  }

  /** What the node says if it has refused what was signed for two periods of `stuckAfterMs`, and knows none of it. */
  async #turnedAway(): Promise<{ answer: SendAnswer; words: string } | undefined> {
    const refused = this.#refused;
    // What waits at the nonce and is worth more may be mined or leave its place at any time.
    if (!refused || refused.answer === "underpriced-replacement") return undefined;
    if (performance.now() - refused.since < 2 * this.#context.stuckAfterMs || (await this.isKnown())) return undefined;
    return { answer: refused.answer, words: refused.words };
  }

  /** Whether the endpoint knows any transaction of this nonce, waiting or mined. */
  async isKnown(): Promise<boolean> {
    for (const { hash } of this.sent) {
      const answer = await this.#context.ask("eth_getTransactionByHash", [hash]);
      if (answer !== null && typeof answer === "object") return true;
    }
    return false;
  }

  /** Open: the nonce is not used. Confirming: it is, or a receipt exists, but not enough is known yet. */
  async #look(): Promise<NonceOutcome | "open" | "confirming"> {
    const { ask, address, stuckAfterMs } = this.#context;
    let unreadable: unknown;
    let confirming = false;
    for (const sent of this.sent.toReversed()) {
      try {
        const outcome = await this.#receiptOf(sent);
        if (outcome === "confirming") confirming = true;
        else if (outcome) return outcome;
      } catch (error) {
        unreadable = error;
      }
    }
    if (confirming) return "confirming";
    // Nobody answered: neither that it was mined nor that it was not is known.
    if (unreadable !== undefined) throw explain(unreadable);
    const used = requireCount(await ask("eth_getTransactionCount", [address, "latest"]), "a count of transactions");
    if (used <= this.nonce) {
      this.#unseenSince = undefined;
      return "open";
    }
    if (this.sent.length === 0) return { kind: "gone" };
    const seen = await this.#seen();
    if (seen && this.sent.some(({ hash }) => hash === seen.hash)) return "confirming";
    const safe = await safeBlock(ask);
    if (seen) return seen.block <= safe ? { kind: "displaced", by: seen.hash } : "confirming";
    this.#unseenSince ??= performance.now();
    if (performance.now() - this.#unseenSince < 3 * stuckAfterMs) return "confirming";
    const usedSafely = requireCount(await ask("eth_getTransactionCount", [address, "safe"]), "a count of transactions");
    return usedSafely > this.nonce ? { kind: "unseen" } : "confirming";
  }

  /** Who used the nonce, if a confirmed block of the chain shows it. */
  async #seen(): Promise<SeenTransaction | undefined> {
    const { ask, address, journal } = this.#context;
    this.#search.current ??= new NonceSearch(ask, address, this.nonce, journal.get(this.nonce)?.since);
    return this.#search.current.step();
  }

  async #receiptOf(sent: SentTransaction): Promise<NonceOutcome | "confirming" | undefined> {
    const { ask, provider, address, confirmations } = this.#context;
    const read = toReceipt(await ask("eth_getTransactionReceipt", [sent.hash]), sent.hash, address, provider);
    if (!read) return undefined;
    const { receipt } = read;
    const number = `0x${receipt.blockNumber.toString(16)}`;
    const block = toBlock(await ask("eth_getBlockByNumber", [number, false]));
    // A block that is not, or not yet, part of the chain as this endpoint sees it.
    if (block?.hash !== receipt.blockHash) return "confirming";
    if (confirmations > 1) {
      const head = requireCount(await ask("eth_blockNumber", []), "a block number");
      if (head - receipt.blockNumber + 1 < confirmations) return "confirming";
    }
    const own = this.#own.has(sent.hash);
    const waitedMs = performance.now() - this.#since;
    return { kind: "mined", receipt, cost: costOf(read, sent), sent, own, waitedMs };
  }

  async #hand(raw: string, hash: string): Promise<SendResult> {
    const handed = await this.#tell(raw, hash);
    const { answer, words } = handed;
    const isRefused = answer !== "accepted" && answer !== "known" && answer !== "nonce-used";
    this.#refused = isRefused ? { answer, words, since: this.#refused?.since ?? performance.now() } : undefined;
    return handed;
  }

  async #tell(raw: string, hash: string): Promise<SendResult> {
    const { ask, emit } = this.#context;
    try {
      await ask("eth_sendRawTransaction", [raw]);
      return { hash, answer: "accepted", words: "" };
    } catch (error) {
      const explained = explain(error);
      const words = innermostWords(explained);
      if (explained instanceof RpcUnavailableError) {
        // It may have arrived or not. Waiting shows which, and sends it again if it has not.
        emit({ kind: "unreachable", label: this.label, error: explained });
        return { hash, answer: "unclear", words };
      }
      const refusal = explained instanceof ContractRefusalError ? explained : undefined;
      const answer = refusal ? "never" : readSendAnswer(wordsOf(explained.cause ?? explained));
      if (MAY_BE_MINED.includes(answer)) return { hash, answer, words };
      // An earlier try may have got through, and a node that mines at once may tell of a revert instead of the hash.
      const known = await ask("eth_getTransactionByHash", [hash]).catch(() => undefined);
      if (known === undefined) return { hash, answer: "unclear", words };
      if (known !== null) return { hash, answer: "known", words };
      return { hash, answer, words, ...(refusal && { refusal }) };
    }
  }
}

/** What a mined transaction cost; where the receipt does not say, the maximum that it can have cost. */
function costOf({ receipt, gasUsed, gasPrice, l1Fee }: ReadReceipt, sent: SentTransaction): Cost {
  if (gasUsed !== undefined) return { gasUsed, gasPrice: gasPrice ?? BigInt(sent.maxFeePerGas), l1Fee };
  const price = gasPrice ?? BigInt(sent.maxFeePerGas);
  const gas = sent.most === undefined || price === 0n ? receipt.gasUsed : BigInt(sent.most) / price;
  return { gasUsed: gas, gasPrice: price, l1Fee };
}
