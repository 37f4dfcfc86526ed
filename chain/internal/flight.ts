import { setTimeout as delay } from "node:timers/promises";

import { type JsonRpcApiProvider, keccak256, type Signer, type TransactionReceipt } from "ethers";

import { RpcUnavailable } from "../errors.ts";
import { explain } from "../explain.ts";
import type { LaneEvent } from "../lane-types.ts";
import type { Fees } from "./fees.ts";
import type { Journal } from "./journal.ts";

/** What flights share. */
export interface Tower {
  readonly signer: Signer;
  readonly provider: JsonRpcApiProvider;
  readonly chainId: number;
  readonly address: string;
  readonly journal: Journal;
  readonly confirmations: number;
  readonly stuckAfterMs: number;
  readonly pollMs: number;
  readonly emit: (event: LaneEvent) => void;
}

/** What a transaction does. */
export interface Move {
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
  readonly gasLimit: bigint;
}

/** How a nonce was used up: by a transaction of ours, or by somebody else's. */
export type Landing =
  | {
      readonly kind: "mined";
      readonly receipt: TransactionReceipt;
      readonly cancels: boolean;
      readonly waitedMs: number;
    }
  | { readonly kind: "displaced" };

/** Looks at a used nonce before it is believed that no transaction of ours used it: receipts may come late. */
const LOOKS = 5;

/** One nonce in flight, with all transactions that were signed for it. */
export class Flight {
  readonly nonce: number;
  readonly label: string;
  readonly #tower: Tower;
  /** The newest signed transaction, to be sent again should the endpoint have lost it. */
  #raw: string | undefined;
  #sentAt = Date.now();
  readonly #since = Date.now();

  constructor(tower: Tower, nonce: number, label: string) {
    this.#tower = tower;
    this.nonce = nonce;
    this.label = label;
  }

  /** Fees of the newest transaction, if one is known. */
  get fees(): Fees | undefined {
    const last = this.#sent.at(-1);
    return last && { maxFeePerGas: BigInt(last.maxFeePerGas), maxPriorityFeePerGas: BigInt(last.maxPriorityFeePerGas) };
  }

  get #sent() {
    return this.#tower.journal.get(this.nonce)?.sent ?? [];
  }

  /**
   * Signs, notes and sends a transaction with this nonce.
   *
   * @throws ChainError if the node refuses it; it is then not in flight.
   */
  async send(move: Move, fees: Fees, cancels: boolean): Promise<string> {
    const { signer, chainId, journal } = this.#tower;
    const raw = await signer.signTransaction({ type: 2, chainId, nonce: this.nonce, ...move, ...fees });
    const hash = keccak256(raw);
    const before = this.#sent;
    const sent = {
      hash,
      maxFeePerGas: String(fees.maxFeePerGas),
      maxPriorityFeePerGas: String(fees.maxPriorityFeePerGas),
      cancels,
    };
    // Before it is sent: a crash in between leaves an entry too many, which does no harm; one too few would.
    await journal.put({ nonce: this.nonce, label: this.label, sent: [...before, sent] });
    try {
      await this.#broadcast(raw, hash);
    } catch (error) {
      if (before.length > 0) await journal.put({ nonce: this.nonce, label: this.label, sent: [...before] });
      else await journal.remove(this.nonce);
      throw error;
    }
    this.#raw = raw;
    this.#sentAt = Date.now();
    return hash;
  }

  /** Sends the newest transaction again, in case the endpoint has lost it. What a node dislikes about it is reported. */
  async resend(): Promise<void> {
    const last = this.#sent.at(-1);
    if (this.#raw === undefined || !last) return;
    await this.#broadcast(this.#raw, last.hash).catch((error: unknown) => {
      this.#tower.emit({ kind: "stuck", label: this.label, nonce: this.nonce, error: explain(error) });
    });
  }

  /**
   * Waits until the nonce is used up. An endpoint that gives no answer is asked again for as long as it takes.
   *
   * @param onStuck Called when nothing has been mined for `stuckAfterMs`, and again each time as long has passed.
   * @param signal Ends the waiting; the transaction stays in flight and in the journal.
   */
  async land(onStuck: () => Promise<void>, signal: AbortSignal | undefined): Promise<Landing> {
    const { pollMs, stuckAfterMs } = this.#tower;
    for (let used = 0; ;) {
      signal?.throwIfAborted();
      try {
        const landing = await this.#look(used >= LOOKS);
        if (landing === "used") used += 1;
        else if (landing !== "confirming" && landing) return landing;
        else if (!landing && Date.now() - this.#sentAt >= stuckAfterMs) {
          this.#sentAt = Date.now();
          await onStuck();
        }
      } catch (error) {
        if (!(error instanceof RpcUnavailable)) throw error;
        this.#tower.emit({ kind: "unreachable", label: this.label, error });
      }
      await delay(pollMs, undefined, signal && { signal }).catch(() => undefined);
    }
  }

  /** Whether the endpoint knows any transaction of this nonce, waiting or mined. */
  async isKnown(): Promise<boolean> {
    for (const { hash } of this.#sent) {
      if ((await this.#ask("eth_getTransactionByHash", hash)) !== null) return true;
    }
    return false;
  }

  async #look(believe: boolean): Promise<Landing | "used" | "confirming" | undefined> {
    const { provider, address, confirmations } = this.#tower;
    for (const { hash, cancels } of this.#sent.toReversed()) {
      const receipt = await provider.getTransactionReceipt(hash).catch(rethrow);
      if (!receipt) continue;
      if (confirmations > 1) {
        const head = await provider.getBlockNumber().catch(rethrow);
        if (head - receipt.blockNumber + 1 < confirmations) return "confirming";
      }
      return { kind: "mined", receipt, cancels, waitedMs: Date.now() - this.#since };
    }
    const used = await provider.getTransactionCount(address, "latest").catch(rethrow);
    if (used <= this.nonce) return undefined;
    return believe ? { kind: "displaced" } : "used";
  }

  async #broadcast(raw: string, hash: string): Promise<void> {
    try {
      await this.#ask("eth_sendRawTransaction", raw);
    } catch (error) {
      const explained = explain(error);
      if (explained instanceof RpcUnavailable) {
        // It may have arrived or not. Waiting finds out, and sends it again if it has not.
        this.#tower.emit({ kind: "unreachable", label: this.label, error: explained });
        return;
      }
      // "Nonce too low" may mean that it was mined already; that, too, shows while waiting.
      if (explained.code === "ALREADY_KNOWN" || explained.code === "NONCE_TOO_LOW") return;
      // A node that mines at once may tell of a revert instead of answering with the hash.
      const known = await this.#ask("eth_getTransactionByHash", hash).catch(() => null);
      if (known === null) throw explained;
    }
  }

  async #ask(method: string, parameter: string): Promise<unknown> {
    return (await this.#tower.provider.send(method, [parameter]).catch(rethrow)) as unknown;
  }
}

function rethrow(error: unknown): never {
  throw explain(error);
}
