import type { JsonRpcApiProvider, Signer, TransactionReceipt } from "ethers";
import PQueue from "p-queue";

import { ChainError, ContractRefusalError, TransactionUnconfirmedError } from "../errors.ts";
import { explain } from "../error-messages.ts";
import { revertReason } from "../internal/revert-reason.ts";
import { DEFAULT_BUDGET_PER_HOUR, HourlyBudget, LOCAL_BUDGET_PER_HOUR } from "../internal/budget.ts";
import { bumpFees, type Fees, tipCeiling } from "../internal/fees.ts";
import { PendingTransaction, type NonceOutcome, type QueueContext } from "../internal/pending-transaction.ts";
import { gwei } from "../internal/format.ts";
import { Journal, type JournalEntry } from "../internal/journal.ts";
import { nextNonceStep } from "../internal/nonce-plan.ts";
import { NonceSearch, SAFE_DEPTH, safeBlock } from "../internal/nonce-search.ts";
import { answerWithin, DeadlinePassedError, TimeOut, pause, unless } from "../internal/time-outs.ts";
import { TransactionSimulator, type Suggestion, TRANSACTION_GAS_CAP } from "../internal/simulate.ts";
import { requireCount, toBlock, toCount, toReceipt } from "../internal/rpc-answers.ts";
import { describeRefusal, MAY_BE_MINED, type Remedy, remedyFor, type SendAnswer } from "../internal/send-refusal.ts";
import type {
  TransactionQueueOptions,
  TransactionRequest,
  PreparedTransaction,
  Outcome,
  SignedTransaction,
} from "./types.ts";
import { LOCAL_CHAIN_ID } from "../chains.ts";

export { Journal } from "../internal/journal.ts";
export { MIN_GAS_MARGIN, TRANSACTION_GAS_CAP } from "../internal/simulate.ts";
export type {
  Cost,
  Fees,
  TransactionEvent,
  TransactionQueueOptions,
  TransactionRequest,
  Outcome,
  Payload,
  Proposal,
  SignedTransaction,
} from "./types.ts";

/** Gas of a transaction that does nothing, with room for an account that has code. */
const CANCEL_GAS = 50_000n;

/** How often a request is prepared again because another transaction used its nonce. */
const TRIES = 3;

/** How often a transaction is changed because the node would not take it as it was. */
const REMEDIES = 3;

/** How often a replacement is raised in a row where the node calls it underpriced. */
const RAISES = 4;

/** Time for a request, for an answer of the endpoint, and for what is in flight when the process stops, milliseconds. */
const DEADLINE_MS = 300_000;
const CALL_MS = 30_000;
const STOP_GRACE_MS = 5_000;

/** Time for an urgent request once the process is stopping, and once one of them has waited in vain, milliseconds. */
const URGENT_STOP_MS = 15_000;
const BLOCKED_STOP_MS = 1_000;

/** Longest time that confirming a transaction may take, milliseconds. */
const CONFIRM_MS = 86_400_000;

/** A request on its way. */
interface Work {
  readonly request: TransactionRequest;
  readonly timeOut: TimeOut;
  /** Set from the first signature on, until it is known what became of it. */
  pending?: PendingTransaction | undefined;
  /** What it waits for before anything of its own is sent. */
  behind?: PendingTransaction | undefined;
}

/** Reason of the abort when the process is told to stop. */
class StoppingError extends Error {}

/**
 * Sends the transactions of one signer, one after the other, urgent ones first.
 *
 * Each is simulated first, so that what a contract refuses costs nothing; then it is signed, noted in the journal, sent,
 * and waited for. Only when it is stuck is it replaced, by one that pays at least 12.5 % more and never more than the cap.
 * A request is paid at most once: it gets another nonce only after another transaction was seen at its nonce in a safe
 * block. Before anything new is sent, whatever of this signer is still in flight (from an earlier run, say) is waited for.
 * No other program should use the same key.
 */
export class TransactionQueue {
  readonly address: string;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #works = new Set<Work>();
  readonly #context: QueueContext;
  readonly #simulator: TransactionSimulator;
  readonly #options: TransactionQueueOptions;
  readonly #budget: HourlyBudget;
  /** The newest transaction whose nonce is used at a safe block, as far as this run knows. */
  #last: { readonly nonce: number; readonly hash: string } | undefined;
  /** Whether something in flight was waited for in vain since the process was told to stop. */
  #blocked = false;

  private constructor(context: QueueContext, options: TransactionQueueOptions) {
    this.address = context.address;
    this.#context = context;
    this.#simulator = new TransactionSimulator(context, options);
    this.#options = options;
    const fallback = context.chainId === LOCAL_CHAIN_ID ? LOCAL_BUDGET_PER_HOUR : DEFAULT_BUDGET_PER_HOUR;
    this.#budget = new HourlyBudget(options.budgetPerHour ?? fallback, context.journal.spentBefore);
    context.journal.spendings = () => this.#budget.spendings();
    for (const { nonce, sent, mined } of context.journal.entries()) {
      if (!mined) this.#budget.adopt(nonce, maximum(sent.map(({ most }) => BigInt(most ?? "0"))));
    }
    options.stop?.addEventListener("abort", () => {
      for (const work of this.#works) this.#hurry(work);
    });
  }

  /**
   * @param signer Able to sign transactions without a node, such as ethers' Wallet.
   * @param provider Its chain id must be known: see {@link openProvider}.
   * @throws ChainError `JOURNAL_INVALID`; {@link RpcUnavailableError}.
   */
  static async open(
    signer: Signer,
    provider: JsonRpcApiProvider,
    options: TransactionQueueOptions,
  ): Promise<TransactionQueue> {
    const address = await signer.getAddress();
    const chainId = Number((await provider.getNetwork().catch(rethrow)).chainId);
    const callMs = options.callMs ?? CALL_MS;
    const context: QueueContext = {
      signer,
      provider,
      chainId,
      address,
      journal: await Journal.open(options.journal, { chainId, address }),
      confirmations: options.confirmations ?? 1,
      stuckAfterMs: options.stuckAfterMs ?? 30_000,
      pollMs: options.pollMs ?? provider.pollingInterval,
      callMs,
      emit: (event) => options.onEvent?.(event),
      ask: async (method, parameters) => {
        try {
          return (await answerWithin(callMs, method, provider.send(method, [...parameters]))) as unknown;
        } catch (error) {
          throw explain(error);
        }
      },
    };
    const { damage } = context.journal;
    if (damage !== undefined) {
      context.emit({ kind: "journal", label: "journal", error: new ChainError("JOURNAL_DAMAGED", true, damage) });
    }
    return new TransactionQueue(context, options);
  }

  /** Requests that wait or are being worked on. */
  get pending(): number {
    return this.#queue.size + this.#queue.pending;
  }

  /**
   * Sends a transaction when its turn comes.
   *
   * @returns The receipt of the successful transaction; null if nothing needed to be done.
   * @throws ContractRefusalError if the simulation fails (nothing is sent) or the transaction reverts (the message names its
   * hash); {@link TransactionUnconfirmedError} if it was sent and deadline, signal or stop came before it was confirmed;
   * another ChainError where it cannot be sent; RpcUnavailableError if the endpoint fails before it is sent; the signal's
   * reason before it is sent.
   */
  async submit(request: TransactionRequest): Promise<TransactionReceipt | null> {
    return this.#within(request, (work) => this.#run(work));
  }

  /**
   * Waits for what an earlier run left in flight, until the deadline of a request has passed or the signal is raised.
   * {@link submit} does so by itself.
   *
   * @throws RpcUnavailableError if the chain cannot be asked at all.
   */
  async recover(signal?: AbortSignal): Promise<void> {
    const request = { label: "recovery", prepare: () => null, urgent: true, ...(signal && { signal }) };
    let ended: AbortSignal | undefined;
    const done = this.#within(request, async (work) => {
      ended = work.timeOut.signal;
      await this.#clear(work);
    });
    await done.catch((error: unknown) => {
      if (ended?.aborted !== true && signal?.aborted !== true) throw error;
    });
  }

  /**
   * Learns what became of transactions of this signer, also of those of an earlier run whose journal is lost. Asks
   * until it is known, but no longer than the deadline of a request.
   *
   * @param label What they were for.
   * @throws {@link TransactionUnconfirmedError} if it cannot be told; RpcUnavailableError.
   */
  async outcomeOf(label: string, signed: readonly SignedTransaction[], signal?: AbortSignal): Promise<Outcome> {
    const timeOut = new TimeOut(this.#options.deadlineMs ?? DEADLINE_MS, signal);
    const searches = signed.map(({ nonce, block }) => new NonceSearch(this.#context.ask, this.address, nonce, block));
    try {
      for (;;) {
        const outcome = await unless(timeOut.signal, this.#outcomeNow(signed, searches));
        if (outcome) return outcome;
        await pause(this.#context.pollMs, timeOut.signal);
      }
    } catch (error) {
      if (!timeOut.signal.aborted) throw error;
      const hashes = signed.map(({ hash }) => hash);
      throw new TransactionUnconfirmedError(label, signed.at(-1)?.nonce ?? 0, hashes, whyNotWaited(error), error);
    } finally {
      timeOut.close();
    }
  }

  async #outcomeNow(
    signed: readonly SignedTransaction[],
    searches: readonly NonceSearch[],
  ): Promise<Outcome | undefined> {
    const { ask } = this.#context;
    let reverted = false;
    for (const { hash } of signed) {
      const receipt = await this.#receiptOf(hash);
      if (receipt?.status === 1) return { kind: "mined", receipt };
      if (receipt) reverted = true;
    }
    const { latest } = await this.#counts();
    const unused = signed.filter(({ nonce }) => nonce >= latest);
    // Behind a gap: it may be mined once the gap is filled, so nothing can be said.
    if (unused.some(({ nonce }) => nonce > latest)) return undefined;
    const safe = await safeBlock(ask);
    for (const [i, { nonce, hash }] of signed.entries()) {
      if (nonce >= latest) continue;
      const seen = await searches[i]?.step();
      if (!seen || seen.block > safe) return undefined;
      const isOurs = signed.some((each) => each.hash === seen.hash);
      if (isOurs && !(reverted && seen.hash === hash)) return undefined;
    }
    return { kind: unused.length > 0 ? "open" : "void" };
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Queues a piece of work and waits for it until its deadline. */
  async #within<T>(request: TransactionRequest, step: (work: Work) => Promise<T>): Promise<T> {
    const { deadlineMs = this.#options.deadlineMs ?? DEADLINE_MS, urgent = false, signal } = request;
    const work: Work = { request, timeOut: new TimeOut(deadlineMs, signal) };
    this.#works.add(work);
    if (this.#options.stop?.aborted === true) this.#hurry(work);
    const turn = async (): Promise<T> => {
      work.timeOut.signal.throwIfAborted();
      return step(work);
    };
    try {
      return await unless(work.timeOut.signal, this.#queue.add(turn, { priority: urgent ? 1 : 0 }));
    } catch (error) {
      throw this.#told(work, error);
    } finally {
      work.timeOut.close();
      this.#works.delete(work);
    }
  }

  /** The process stops: what is not sent yet is not sent, unless it is urgent; what is sent is waited for a little. */
  #hurry({ request, timeOut, pending }: Work): void {
    if (request.urgent === true) timeOut.within(this.#blocked ? BLOCKED_STOP_MS : URGENT_STOP_MS);
    else if (pending && pending.own.length > 0) timeOut.within(this.#options.stopGraceMs ?? STOP_GRACE_MS);
    else timeOut.end(new StoppingError("the process is stopping"));
  }

  /** The error that a request ends with: its reader knows whether something was sent. */
  #told({ request: { label }, timeOut, pending, behind }: Work, error: unknown): unknown {
    const ended = timeOut.signal.aborted && error === timeOut.signal.reason;
    if (ended && this.#options.stop?.aborted === true && (pending ?? behind)) this.#blocked = true;
    if (pending && pending.own.length > 0) {
      if (error instanceof TransactionUnconfirmedError) return error;
      const why = ended ? whyNotWaited(error) : `could not be followed (${explain(error).message})`;
      return new TransactionUnconfirmedError(label, pending.nonce, pending.own, why, error);
    }
    if (!ended) return error;
    if (error instanceof DeadlinePassedError) {
      const first =
        behind && `"${behind.label}" (nonce ${String(behind.nonce)}${hashesOf(behind)}) is in flight before it`;
      const message = `"${label}" was not sent within ${String(error.ms / 1000)} s: ${first ?? "the endpoint or the queue is too slow"}. Try again later.`;
      return new ChainError("NOT_SENT_IN_TIME", true, message, { cause: error });
    }
    if (error instanceof StoppingError) {
      return new ChainError("STOPPING", true, `"${label}" was not sent: ${error.message}.`, { cause: error });
    }
    return error;
  }

  async #run(work: Work): Promise<TransactionReceipt | null> {
    const { request, timeOut } = work;
    const { label } = request;
    const { signal } = timeOut;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const nonce = await this.#clear(work);
      const transaction = await this.#simulator.decide(request);
      if (!transaction) return null;
      signal.throwIfAborted();
      const suggestion = await this.#simulator.fees(label, transaction);
      await this.#askToConfirm(work, transaction, suggestion.fees);
      const pending = new PendingTransaction(this.#context, nonce, label, request.signed);
      pending.block = suggestion.block;
      work.pending = pending;
      await this.#offer(work, pending, { transaction, fees: suggestion.fees }, suggestion);
      let refusal: ContractRefusalError | undefined;
      const onStuck = async (): Promise<void> => {
        const again = await this.#decideAgain(pending, request);
        signal.throwIfAborted();
        refusal = again instanceof ContractRefusalError ? again : undefined;
        if (again !== undefined)
          await this.#replace(pending, again instanceof ContractRefusalError ? null : again, signal);
      };
      const outcome = await pending.land(onStuck, signal, true);
      if (outcome.kind === "unseen") {
        await this.#record(pending, outcome);
        throw new TransactionUnconfirmedError(
          label,
          nonce,
          pending.own,
          "its nonce is used at a safe block, where the endpoint shows no transaction with it",
        );
      }
      work.pending = undefined;
      if (outcome.kind === "refused") throw this.#refused(pending, outcome.answer, outcome.words);
      const receipt = await this.#record(pending, outcome);
      if (receipt === "cancelled") {
        if (refusal) throw refusal;
        return null;
      }
      if (receipt) return receipt;
    }
    throw new ChainError(
      "NONCE_CONTESTED",
      true,
      `Another program keeps using the nonces of ${this.address} ("${label}" was displaced ${String(TRIES)} times); give each program a key of its own.`,
    );
  }

  async #askToConfirm(
    { request: { label, deadlineMs }, timeOut }: Work,
    transaction: PreparedTransaction,
    fees: Fees,
  ): Promise<void> {
    const { confirm, stop } = this.#options;
    if (!confirm) return;
    // People may take their time; the deadline is for what follows.
    timeOut.within(CONFIRM_MS);
    const { to, data, value, gasLimit } = transaction;
    await unless(timeOut.signal, confirm({ label, to, data, value, gasLimit, fees }));
    if (stop?.aborted !== true) timeOut.within(deadlineMs ?? this.#options.deadlineMs ?? DEADLINE_MS);
  }

  /** Signs and sends; what the node will not take unchanged is changed as far as that helps. */
  async #offer(
    { timeOut: { signal } }: Work,
    pending: PendingTransaction,
    first: Remedy,
    { baseFee }: Suggestion,
  ): Promise<void> {
    const { emit } = this.#context;
    const { label, nonce } = pending;
    const before = pending.fees;
    // Something that the endpoint no longer knows was signed for this nonce: this one has to be able to replace it.
    const raised = before && bumpFees(before, first.fees, this.#options.maxFeePerGas);
    let now: Remedy = raised ? { ...first, fees: raised } : first;
    for (let tries = 0; ; tries++) {
      this.#reserve(pending, now.transaction, now.fees);
      const { hash, answer, words, refusal } = await pending.send(now.transaction, now.fees, false, signal);
      if (MAY_BE_MINED.includes(answer)) {
        emit({ kind: "sent", label, nonce, hash, fees: now.fees, gasLimit: now.transaction.gasLimit });
        return;
      }
      const fresh = await this.#simulator.suggest().catch(() => undefined);
      const remedy =
        tries < REMEDIES && answer !== "accepted"
          ? remedyFor(answer, words, now, fresh?.fees, {
              maxFeePerGas: this.#options.maxFeePerGas,
              gas: TRANSACTION_GAS_CAP,
              tipCeiling: tipCeiling(fresh?.baseFee ?? baseFee, this.#options.maxFeePerGas),
            })
          : undefined;
      if (!remedy) {
        throw this.#refused(pending, answer === "accepted" ? "unclear" : answer, words, refusal);
      }
      now = remedy;
    }
  }

  /** The node's refusal of what was signed, as an error. What was signed stays noted. */
  #refused(pending: PendingTransaction, answer: SendAnswer, words: string, refusal?: ContractRefusalError): ChainError {
    const { label, nonce } = pending;
    this.#budget.release(nonce);
    for (const work of this.#works) if (work.pending === pending) work.pending = undefined;
    const { code, retryable, remedy } = describeRefusal(answer);
    const hash = pending.own.at(-1) ?? "";
    const error =
      refusal ??
      new ChainError(
        code,
        retryable,
        `The node did not take "${label}" (${hash}, nonce ${String(nonce)}): ${words}. ${remedy}`,
        { details: { hash, nonce, words } },
      );
    this.#context.emit({ kind: "refused", label, error });
    return error;
  }

  #reserve(pending: PendingTransaction, transaction: PreparedTransaction, fees: Fees): void {
    const error = this.#whyUnaffordable(pending, transaction, fees);
    if (!error) return;
    this.#context.emit({ kind: "refused", label: pending.label, error });
    throw error;
  }

  /** What a stuck transaction should become: null or a refusal: no longer needed; undefined: nobody knows. */
  async #decideAgain(
    pending: PendingTransaction,
    request: TransactionRequest,
  ): Promise<PreparedTransaction | null | ContractRefusalError | undefined> {
    try {
      return await this.#simulator.decide(request);
    } catch (error) {
      if (error instanceof ContractRefusalError) return error;
      this.#context.emit({ kind: "stuck", label: pending.label, nonce: pending.nonce, error: explain(error) });
      await pending.resend();
      return undefined;
    }
  }

  /** Waits for everything in flight. Returns the next nonce. */
  async #clear(work: Work): Promise<number> {
    const { journal, pollMs, stuckAfterMs } = this.#context;
    const { signal } = work.timeOut;
    let odd: { readonly what: string; readonly since: number } | undefined;
    /** Whether the same oddity has lasted long enough to be no lag of the endpoint. */
    const lasts = async (what: string): Promise<boolean> => {
      if (odd?.what !== what) odd = { what, since: performance.now() };
      if (performance.now() - odd.since >= stuckAfterMs) return true;
      await pause(pollMs, signal);
      return false;
    };
    for (let proven = 0; ;) {
      signal.throwIfAborted();
      const counts = await this.#counts();
      const entries = journal.entries();
      const mined = this.#minedTransactions();
      const floor = Math.max(0, ...mined.map(({ nonce }) => nonce + 1));
      const latest = Math.max(counts.latest, proven);
      const states = entries.map((entry) => ({ nonce: entry.nonce, mined: entry.mined !== undefined }));
      const { kind, nonce } = nextNonceStep({ latest, pending: counts.pending, floor, entries: states });
      if (kind === "send") return nonce;
      if (kind === "doubt") {
        const vanished = await this.#firstVanished(mined.filter((each) => each.nonce >= latest));
        if (!vanished) proven = floor;
        else if (await lasts(`${vanished.hash} is gone`)) await this.#sendAgain(vanished);
        continue;
      }
      const pending = new PendingTransaction(this.#context, nonce, journal.get(nonce)?.label ?? "unknown");
      if (kind === "ask" && !(await pending.isKnown())) return nonce;
      if (kind === "gap") {
        if (!(await lasts(`gap at ${String(nonce)}`))) continue;
        await this.#replace(new PendingTransaction(this.#context, nonce, "nonce gap"), null, signal);
        await pause(pollMs, signal);
        continue;
      }
      await this.#adopt(work, pending);
    }
  }

  /** Waits for what is in flight at a nonce; what stays stuck is taken back, unless it was reported as mined before. */
  async #adopt(work: Work, pending: PendingTransaction): Promise<void> {
    const { journal, emit } = this.#context;
    const { signal } = work.timeOut;
    emit({ kind: "adopted", label: pending.label, nonce: pending.nonce });
    work.behind = pending;
    const promised = journal.get(pending.nonce)?.promised === true;
    const onStuck = () => this.#replace(pending, promised ? (pending.lastTransaction ?? null) : null, signal);
    const outcome = await pending.land(onStuck, signal, false);
    // A revert has been reported; what to do about it is for the next look at the chain.
    await this.#record(pending, outcome).catch(() => undefined);
    work.behind = undefined;
  }

  async #counts(): Promise<{ latest: number; pending: number }> {
    const { ask, address } = this.#context;
    const [latest, pending] = await Promise.all([
      ask("eth_getTransactionCount", [address, "latest"]),
      // Not every node knows what is pending; then what waits shows when the nonce is used.
      ask("eth_getTransactionCount", [address, "pending"]).catch(() => undefined),
    ]);
    const count = requireCount(latest, "a count of transactions");
    return { latest: count, pending: Math.max(count, toCount(pending) ?? 0) };
  }

  /** Transactions that were seen to be mined, ascending by nonce. */
  #minedTransactions(): readonly { readonly nonce: number; readonly hash: string }[] {
    const noted = this.#context.journal
      .entries()
      .flatMap(({ nonce, mined }) => (mined ? [{ nonce, hash: mined.hash }] : []));
    return this.#last ? [this.#last, ...noted] : noted;
  }

  /** The first of these that is no longer part of the chain; undefined if the newest still is, and so all. */
  async #firstVanished(
    mined: readonly { readonly nonce: number; readonly hash: string }[],
  ): Promise<{ nonce: number; hash: string } | undefined> {
    const newest = mined.at(-1);
    if (!newest || (await this.#isMined(newest.hash))) return undefined;
    for (const each of mined) if (!(await this.#isMined(each.hash))) return each;
    return undefined;
  }

  async #isMined(hash: string): Promise<boolean> {
    return (await this.#receiptOf(hash)) !== undefined;
  }

  /** A receipt whose block is part of the chain; undefined if there is none. */
  async #receiptOf(hash: string): Promise<TransactionReceipt | undefined> {
    const { ask, address, provider } = this.#context;
    const read = toReceipt(await ask("eth_getTransactionReceipt", [hash]), hash, address, provider);
    if (!read) return undefined;
    const { blockNumber, blockHash } = read.receipt;
    const block = toBlock(await ask("eth_getBlockByNumber", [`0x${blockNumber.toString(16)}`, false]));
    return block?.hash === blockHash ? read.receipt : undefined;
  }

  /** A transaction that was reported as mined is gone: a reorganisation has undone it, and it is sent again. */
  async #sendAgain({ nonce, hash }: { readonly nonce: number; readonly hash: string }): Promise<void> {
    const { journal, emit } = this.#context;
    const entry = journal.get(nonce);
    if (this.#last?.nonce === nonce) this.#last = undefined;
    if (!entry) return;
    const open: JournalEntry = { nonce, label: entry.label, sent: entry.sent, promised: true };
    await journal.put(entry.since === undefined ? open : { ...open, since: entry.since });
    emit({ kind: "reorganised", label: entry.label, nonce, hash });
    await new PendingTransaction(this.#context, nonce, entry.label).resend();
  }

  /** Replaces a stuck transaction: by this one, or by one that does nothing. Where it cannot, the wait goes on. */
  async #replace(
    pending: PendingTransaction,
    transaction: PreparedTransaction | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { address, emit } = this.#context;
    const { label, nonce } = pending;
    const { maxFeePerGas: cap } = this.#options;
    const now = await this.#simulator.suggest().catch(() => undefined);
    if (now) pending.block ??= now.block;
    const idle = { to: address, data: "0x", value: 0n, gasLimit: CANCEL_GAS, estimate: CANCEL_GAS };
    let before = pending.fees;
    for (let raise = 0; raise < RAISES; raise++) {
      const fees = before ? bumpFees(before, now?.fees, cap) : now?.fees;
      const error = fees ? this.#whyUnaffordable(pending, transaction ?? idle, fees) : capReached(label, cap);
      if (!fees || error) {
        if (error) emit({ kind: "stuck", label, nonce, error });
        await pending.resend();
        return;
      }
      const { hash, answer, words } = await pending.send(transaction ?? idle, fees, transaction === null, signal);
      before = fees;
      if (answer === "underpriced-replacement") continue;
      if (MAY_BE_MINED.includes(answer)) {
        emit({ kind: transaction ? "bumped" : "cancelled", label, nonce, hash, fees });
        return;
      }
      // Whatever the node dislikes (too little ETH…), what was sent before is still there.
      const { code, retryable, remedy } = describeRefusal(answer === "accepted" ? "unclear" : answer);
      const message = `The node did not take the replacement of "${label}" (${hash}): ${words}. ${remedy}`;
      emit({ kind: "stuck", label, nonce, error: new ChainError(code, retryable, message) });
      return;
    }
  }

  /** Why a transaction goes beyond the hourly budget; undefined if it does not, and it is then reserved. */
  #whyUnaffordable(
    { nonce, label }: PendingTransaction,
    { gasLimit }: PreparedTransaction,
    fees: Fees,
  ): ChainError | undefined {
    try {
      this.#budget.reserve(nonce, label, gasLimit * fees.maxFeePerGas);
      return undefined;
    } catch (error) {
      return explain(error);
    }
  }

  /** Books how a nonce was used up. Undefined: not by a transaction of this flight. */
  async #record(
    pending: PendingTransaction,
    outcome: NonceOutcome,
  ): Promise<TransactionReceipt | "cancelled" | undefined> {
    const { journal, emit } = this.#context;
    const { nonce } = pending;
    this.#blocked = false;
    if (outcome.kind !== "mined") {
      this.#budget.release(nonce);
      if (outcome.kind === "displaced") {
        // Seen at a safe block: what was signed here can never be mined.
        this.#last = { nonce, hash: outcome.by };
        emit({ kind: "displaced", label: pending.label, nonce, by: outcome.by });
      }
      await this.#write(pending.label, () => journal.remove(nonce));
      return undefined;
    }
    const { receipt, cost, sent, own, waitedMs } = outcome;
    const label = sent.label ?? pending.label;
    this.#budget.spend(nonce, cost.gasUsed * cost.gasPrice + cost.l1Fee);
    await this.#write(label, () => journal.setMined(nonce, { hash: receipt.hash, block: receipt.blockNumber }));
    await this.#forgetSafe(label);
    const about = { label, nonce, hash: receipt.hash, cost };
    if (receipt.status === 1) emit({ kind: "confirmed", ...about, waitedMs });
    const error = receipt.status === 1 ? undefined : await revertReason(this.#context, label, receipt, sent.raw);
    if (error) emit({ kind: "reverted", ...about, error });
    if (!own && pending.own.length > 0) {
      emit({ kind: "displaced", label: pending.label, nonce, by: receipt.hash });
      return undefined;
    }
    if (error) throw error;
    return sent.cancels ? "cancelled" : receipt;
  }

  /** Takes out of the journal what is mined and whose nonce is used at a safe block: it can no longer be undone. */
  async #forgetSafe(label: string): Promise<void> {
    const { journal, ask, address } = this.#context;
    const mined = journal.entries().filter((entry) => entry.mined !== undefined);
    const safe = toCount(await ask("eth_getTransactionCount", [address, "safe"]).catch(() => undefined));
    let gone = mined.filter(({ nonce }) => safe !== undefined && nonce < safe);
    if (safe === undefined) {
      const head = toCount(await ask("eth_blockNumber", []).catch(() => undefined)) ?? 0;
      gone = mined.filter((entry) => (entry.mined?.block ?? head) <= head - SAFE_DEPTH);
    }
    const newest = gone.at(-1);
    if (!newest?.mined) return;
    if (!this.#last || newest.nonce > this.#last.nonce) this.#last = { nonce: newest.nonce, hash: newest.mined.hash };
    await this.#write(label, () => journal.remove(...gone.map(({ nonce }) => nonce)));
  }

  /** A journal that cannot be written must not make a done thing look undone. */
  async #write(label: string, step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      this.#context.emit({ kind: "journal", label, error: explain(error) });
    });
  }
}

function whyNotWaited(reason: unknown): string {
  if (reason instanceof DeadlinePassedError) return `is not confirmed after ${String(reason.ms / 1000)} s`;
  const words = reason instanceof Error ? reason.message : String(reason);
  return `was not waited for any longer (${words})`;
}

function hashesOf(pending: PendingTransaction): string {
  const newest = pending.sent.at(-1)?.hash;
  return newest === undefined ? "" : `, ${newest}`;
}

function capReached(label: string, cap: bigint): ChainError {
  return new ChainError(
    "FEE_CAP_REACHED",
    true,
    `"${label}" is stuck and the cap of ${gwei(cap)} per gas allows no replacement; wait, or raise maxFeePerGas and restart.`,
    { details: { cap } },
  );
}

function maximum(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b), 0n);
}

function rethrow(error: unknown): never {
  throw explain(error);
}
