import { setTimeout as delay } from "node:timers/promises";

import type { JsonRpcApiProvider, Signer, TransactionReceipt } from "ethers";
import PQueue from "p-queue";

import { ChainError, ContractRefusal, RpcUnavailable } from "./errors.ts";
import { explain } from "./explain.ts";
import { costOf, whyReverted } from "./internal/aftermath.ts";
import { HourlyBudget } from "./internal/budget.ts";
import { bumpFees } from "./internal/fees.ts";
import { Flight, type Landing, type Move, type Tower } from "./internal/flight.ts";
import { gwei } from "./internal/format.ts";
import { Journal } from "./internal/journal.ts";
import { Preflight } from "./internal/preflight.ts";
import type { LaneOptions, LaneRequest } from "./lane-types.ts";

export { LEAST_MARGIN, TRANSACTION_GAS_CAP } from "./internal/preflight.ts";
export type { Cost, Fees, LaneEvent, LaneOptions, LaneRequest, Payload, Proposal } from "./lane-types.ts";

/** Gas of a transaction that does nothing, with room for an account that has code. */
const CANCEL_GAS = 50_000n;

/** How often a request is prepared anew because another program used its nonce. */
const TRIES = 3;

/**
 * Sends the transactions of one signer, one after the other.
 *
 * Each is simulated first, so that what a contract refuses costs nothing; then it is sent and waited for. Only when it is
 * stuck is it replaced, by one that pays at least 12.5 % more and never more than the cap. Before anything new is sent,
 * whatever of this signer is still in flight (from an earlier run, say) is waited for. No other program should use the
 * same key; if one does, the request is prepared anew.
 */
export class TransactionLane {
  readonly address: string;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #tower: Tower;
  readonly #preflight: Preflight;
  readonly #cap: bigint;
  readonly #confirm: LaneOptions["confirm"];
  readonly #budget: HourlyBudget | undefined;
  /** First nonce that no confirmed transaction of this run has used. */
  #floor = 0;

  private constructor(tower: Tower, options: LaneOptions) {
    this.address = tower.address;
    this.#tower = tower;
    this.#preflight = new Preflight(tower, options);
    this.#cap = options.maxFeePerGas;
    this.#confirm = options.confirm;
    this.#budget = options.budgetPerHour === undefined ? undefined : new HourlyBudget(options.budgetPerHour);
  }

  /**
   * @param signer Able to sign transactions without a node, such as ethers' Wallet.
   * @param provider Its chain id must be known: see {@link openProvider}.
   * @throws ChainError `JOURNAL_INVALID`; {@link RpcUnavailable}.
   */
  static async open(signer: Signer, provider: JsonRpcApiProvider, options: LaneOptions): Promise<TransactionLane> {
    const address = await signer.getAddress();
    const chainId = Number((await provider.getNetwork().catch(rethrow)).chainId);
    const tower: Tower = {
      signer,
      provider,
      chainId,
      address,
      journal: await Journal.open(options.journal, { chainId, address }),
      confirmations: options.confirmations ?? 1,
      stuckAfterMs: options.stuckAfterMs ?? 30_000,
      pollMs: options.pollMs ?? provider.pollingInterval,
      emit: (event) => options.onEvent?.(event),
    };
    return new TransactionLane(tower, options);
  }

  /** Requests that wait or are being worked on. */
  get pending(): number {
    return this.#queue.size + this.#queue.pending;
  }

  /**
   * Sends a transaction when its turn comes.
   *
   * @returns The receipt of the successful transaction; null if nothing needed to be done.
   * @throws ContractRefusal if the simulation fails (nothing is sent) or the transaction reverts; another ChainError
   * where it cannot be sent; RpcUnavailable if the endpoint fails before it is sent; the signal's reason.
   */
  async submit(request: LaneRequest): Promise<TransactionReceipt | null> {
    return this.#queue.add(() => this.#run(request));
  }

  /** Waits for what an earlier run left in flight. {@link submit} does so by itself. */
  async recover(signal?: AbortSignal): Promise<void> {
    await this.#queue.add(() => this.#clear(signal));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  async #run(request: LaneRequest): Promise<TransactionReceipt | null> {
    const { label, signal } = request;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const nonce = await this.#clear(signal);
      const move = await this.#preflight.decide(request);
      if (!move) return null;
      const fees = await this.#preflight.fees(label, move);
      this.#requireBudget(label, move.gasLimit * fees.maxFeePerGas);
      await this.#confirm?.({ label, ...move, fees });
      signal?.throwIfAborted();
      const flight = new Flight(this.#tower, nonce, label);
      const hash = await flight.send(move, fees, false).catch((error: unknown) => {
        this.#tower.emit({ kind: "refused", label, error: explain(error) });
        throw error;
      });
      this.#tower.emit({ kind: "sent", label, nonce, hash, fees, gasLimit: move.gasLimit });
      let refusal: ContractRefusal | undefined;
      const landing = await flight.land(async () => {
        const again = await this.#decideAgain(flight, request);
        refusal = again instanceof ContractRefusal ? again : undefined;
        if (again !== undefined) await this.#replace(flight, again instanceof ContractRefusal ? null : again);
      }, signal);
      const receipt = await this.#settle(flight, landing);
      if (receipt !== "cancelled" && receipt) return receipt;
      if (receipt === "cancelled") {
        if (refusal) throw refusal;
        return null;
      }
    }
    throw new ChainError(
      "NONCE_CONTESTED",
      true,
      `Another program keeps using the nonces of ${this.address} ("${label}" was displaced ${String(TRIES)} times); give each program a key of its own.`,
    );
  }

  #requireBudget(label: string, most: bigint): void {
    try {
      this.#budget?.require(label, most);
    } catch (error) {
      this.#tower.emit({ kind: "refused", label, error: explain(error) });
      throw error;
    }
  }

  /** What a stuck transaction should become: null or a refusal: not needed any more; undefined: nobody knows. */
  async #decideAgain(flight: Flight, request: LaneRequest): Promise<Move | null | ContractRefusal | undefined> {
    try {
      return await this.#preflight.decide(request);
    } catch (error) {
      if (error instanceof ContractRefusal) return error;
      if (error instanceof RpcUnavailable) throw error;
      this.#tower.emit({ kind: "stuck", label: flight.label, nonce: flight.nonce, error: explain(error) });
      await flight.resend();
      return undefined;
    }
  }

  /** Waits for everything in flight. Returns the next nonce. */
  async #clear(signal: AbortSignal | undefined): Promise<number> {
    const { provider, journal, address, pollMs, stuckAfterMs } = this.#tower;
    const patience = Date.now() + stuckAfterMs;
    for (;;) {
      signal?.throwIfAborted();
      const count = (tag: string) => provider.getTransactionCount(address, tag).catch(rethrow);
      const [latest, pending] = await Promise.all([count("latest"), count("pending")]);
      const entry = journal.entries()[0];
      if (!entry && latest < this.#floor) {
        // The endpoint lags behind; if it stays so, a reorganisation has undone what was confirmed.
        if (Date.now() > patience) this.#floor = latest;
        else await delay(pollMs, undefined, signal && { signal }).catch(() => undefined);
        continue;
      }
      if (!entry && pending <= latest) return latest;
      const flight = new Flight(this.#tower, entry?.nonce ?? latest, entry?.label ?? "unknown");
      if (entry && (entry.nonce > pending || (entry.nonce === pending && !(await flight.isKnown())))) {
        // It was never sent, or the network has dropped it. Should it come up again, only one can use the nonce.
        await this.#forget(flight);
        continue;
      }
      this.#tower.emit({ kind: "adopted", label: flight.label, nonce: flight.nonce });
      const landing = await flight.land(() => this.#replace(flight, null), signal);
      // A revert has been reported; what to do about it is for the next look at the chain.
      await this.#settle(flight, landing).catch(() => undefined);
    }
  }

  /** Replaces a stuck transaction: by this one, or by one that does nothing. Where it cannot, the wait goes on. */
  async #replace(flight: Flight, move: Move | null): Promise<void> {
    const { address, emit } = this.#tower;
    const { label, nonce } = flight;
    const now = await this.#preflight.suggest().catch((error: unknown) => {
      if (error instanceof RpcUnavailable) throw error;
      return undefined;
    });
    for (let fees = flight.fees ?? now; ;) {
      const more = fees && bumpFees(fees, now, this.#cap);
      if (!more) {
        emit({ kind: "stuck", label, nonce, error: capReached(label, this.#cap) });
        await flight.resend();
        return;
      }
      try {
        const idle = { to: address, data: "0x", value: 0n, gasLimit: CANCEL_GAS };
        const hash = await flight.send(move ?? idle, more, move === null);
        emit({ kind: move ? "bumped" : "cancelled", label, nonce, hash, fees: more });
        return;
      } catch (error) {
        const explained = explain(error);
        // Whatever else the node dislikes (too little ETH…), what was sent before is still there.
        if (explained.code !== "REPLACEMENT_UNDERPRICED") {
          emit({ kind: "stuck", label, nonce, error: explained });
          return;
        }
        fees = more;
      }
    }
  }

  /** Books a landing. Undefined: another program used the nonce. */
  async #settle(flight: Flight, landing: Landing): Promise<TransactionReceipt | "cancelled" | undefined> {
    const { label, nonce } = flight;
    await this.#forget(flight);
    this.#floor = nonce + 1;
    if (landing.kind === "displaced") {
      this.#tower.emit({ kind: "displaced", label, nonce });
      return undefined;
    }
    const { receipt, waitedMs, cancels } = landing;
    const cost = await costOf(this.#tower, receipt);
    this.#budget?.spend(cost.gasUsed * cost.gasPrice + cost.l1Fee);
    const about = { label, nonce, hash: receipt.hash, cost };
    if (receipt.status !== 1) {
      const error = await whyReverted(this.#tower, label, receipt);
      this.#tower.emit({ kind: "reverted", ...about, error });
      throw error;
    }
    this.#tower.emit({ kind: "confirmed", ...about, waitedMs });
    return cancels ? "cancelled" : receipt;
  }

  /** Takes a nonce out of the journal. A journal that cannot be written must not make a done thing look undone. */
  async #forget({ label, nonce }: Flight): Promise<void> {
    await this.#tower.journal.remove(nonce).catch((error: unknown) => {
      this.#tower.emit({ kind: "journal", label, error: explain(error) });
    });
  }
}

function capReached(label: string, cap: bigint): ChainError {
  return new ChainError(
    "FEE_CAP_REACHED",
    true,
    `"${label}" is stuck and the cap of ${gwei(cap)} per gas allows no replacement; wait, or raise maxFeePerGas and restart.`,
    { details: { cap } },
  );
}

function rethrow(error: unknown): never {
  throw explain(error);
}
