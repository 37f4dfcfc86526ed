import type { TransactionReceipt } from "ethers";

import type { ChainError } from "../errors.ts";
import type { Fees } from "../internal/fees.ts";

export { type Fees, TIP_FLOOR } from "../internal/fees.ts";

interface About {
  /** What the transaction is for. */
  readonly label: string;
}

interface InFlight extends About {
  readonly nonce: number;
  readonly hash: string;
}

/** What a transaction does. */
export interface PreparedTransaction {
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
  readonly gasLimit: bigint;
  /** Gas that its simulation took. */
  readonly estimate: bigint;
}

/** What a transaction cost. */
export interface Cost {
  readonly gasUsed: bigint;
  /** Wei per gas. */
  readonly gasPrice: bigint;
  /** L1 data fee, wei; 0 where the chain has none. */
  readonly l1Fee: bigint;
}

/** What happens in a transaction queue, for logs and metrics. */
export type TransactionEvent =
  /** The closure said that nothing needs to be done. */
  | (About & { readonly kind: "unneeded" })
  /** The simulation failed (a contract refuses, too little ETH, fee above the cap…): nothing was sent. */
  | (About & { readonly kind: "refused"; readonly error: ChainError })
  | (InFlight & { readonly kind: "sent"; readonly fees: Fees; readonly gasLimit: bigint })
  /** A stuck transaction was replaced by one that pays more. */
  | (InFlight & { readonly kind: "bumped"; readonly fees: Fees })
  /** A stuck transaction that is no longer needed was replaced by an empty one. */
  | (InFlight & { readonly kind: "cancelled"; readonly fees: Fees })
  /** A transaction is stuck and could not be replaced (most often because of the cap): it is waited for. */
  | (About & { readonly kind: "stuck"; readonly nonce: number; readonly error: ChainError })
  /** A transaction of an earlier run (or of an aborted request) is waited for. */
  | (About & { readonly kind: "adopted"; readonly nonce: number })
  | (InFlight & { readonly kind: "confirmed"; readonly cost: Cost; readonly waitedMs: number })
  | (InFlight & { readonly kind: "reverted"; readonly cost: Cost; readonly error: ChainError })
  /** Another transaction was seen at the nonce: of another program, or of an earlier request. */
  | (About & { readonly kind: "displaced"; readonly nonce: number; readonly by: string })
  /** A transaction that was mined is no longer part of the chain: it is sent again. */
  | (InFlight & { readonly kind: "reorganised" })
  /** The journal was damaged, or could not be written after a transaction was settled; the next run makes up for it. */
  | (About & { readonly kind: "journal"; readonly error: ChainError })
  /** The endpoint gave no answer; it is asked again. */
  | (About & { readonly kind: "unreachable"; readonly error: ChainError });

/** A simulated transaction that is about to be sent. */
export interface Proposal extends About {
  readonly to: string;
  readonly data: string;
  /** Wei. */
  readonly value: bigint;
  readonly gasLimit: bigint;
  readonly fees: Fees;
}

/** How a queue sends. */
export interface TransactionQueueOptions {
  /** Hard cap of what is offered per gas, wei; no replacement ever goes above it. */
  readonly maxFeePerGas: bigint;
  /**
   * The maximum that is spent on gas within any hour, wei, replacements included. Default 0.05 ETH; 1,000 ETH on the local
   * simulated chain.
   */
  readonly budgetPerHour?: bigint;
  /** Priority fee per gas, wei. Default: what the node suggests, between a floor and a ceiling (internal/fees.ts). */
  readonly priorityFeePerGas?: bigint;
  /**
   * Time for a request, its wait in the queue included, milliseconds. Default 300,000. What is sent by then and not
   * confirmed stays in flight.
   */
  readonly deadlineMs?: number;
  /** Time for one answer of the endpoint, milliseconds. Default 30,000. */
  readonly callMs?: number;
  /** Raised when the process is told to stop. Requests that nothing was sent for then end, unless they are urgent. */
  readonly stop?: AbortSignal;
  /** How long what is in flight is still waited for once `stop` is raised, milliseconds. Default 5,000. */
  readonly stopGraceMs?: number;
  /** File that remembers what is in flight, so that the next run takes it over. Default: none. */
  readonly journal?: string;
  /** Blocks, the transaction's own included, after which it counts as done. Default 1. */
  readonly confirmations?: number;
  /** Time without a receipt after which a transaction counts as stuck, milliseconds. Default 30,000. */
  readonly stuckAfterMs?: number;
  /** Pause between two looks for a receipt, milliseconds. Default: the provider's polling interval. */
  readonly pollMs?: number;
  /**
   * Gas on top of the estimate, percent, but at least 150,000; what is not used is not paid. Default 100: a round may end between the simulation
   * and the block, and a call that only noted a listing while it was open then changes the listing, which costs up to as
   * much again.
   */
  readonly gasMarginPercent?: number;
  /**
   * Asked before each new transaction is sent (not before a stuck one is replaced). It may look at the simulated move and
   * its fees, and throws to have nothing sent; what it throws is what {@link TransactionRequest} ends with.
   */
  readonly confirm?: (proposal: Proposal) => Promise<void>;
  /** Told of all that happens, for logs and metrics. Must not throw. */
  readonly onEvent?: (event: TransactionEvent) => void;
}

/** What a request wants sent; what `contract.method.populateTransaction(…)` returns fits. */
export interface Payload {
  readonly to: string;
  readonly data?: string;
  readonly value?: bigint;
  /** Gas on top of all margins for a call that goes on only while so much is left, and that does not use it. Default 0. */
  readonly gasReserve?: bigint;
}

/** A signed transaction, as its sender remembers it so as not to pay twice. */
export interface SignedTransaction {
  readonly nonce: number;
  readonly hash: string;
  /** Newest block when the first one with this nonce was signed. */
  readonly block?: number | undefined;
}

/**
 * What became of transactions that one request was signed as.
 *
 * - `mined`: one of them succeeded
 * - `open`: none is mined, and the next nonce to be used is theirs, so that whatever is sent now replaces them
 * - `void`: none can be mined any longer, or what was mined reverted
 */
export type Outcome =
  | { readonly kind: "mined"; readonly receipt: TransactionReceipt }
  | { readonly kind: "open" | "void" };

/** A transaction to be sent. */
export interface TransactionRequest {
  /** What it is for, in logs and in the journal. */
  readonly label: string;
  /**
   * Looks at the chain and says what to send; called right before sending, and again before a stuck transaction is
   * replaced, so that nothing stale is ever sent. Null if nothing needs to be done, or no longer.
   */
  readonly prepare: () => Payload | null | Promise<Payload | null>;
  /** Sent before what is not urgent: what somebody else waits for or what is lost if it comes late. */
  readonly urgent?: boolean;
  /** Ends the wait. What has been sent stays in flight; the next request, or the next run, waits for it first. */
  readonly signal?: AbortSignal;
  /** Time for this request, milliseconds; see {@link TransactionQueueOptions.deadlineMs}. */
  readonly deadlineMs?: number;
  /** Told of each transaction that is signed for it, before it is sent; if it fails, nothing is sent. */
  readonly signed?: (transaction: SignedTransaction) => Promise<void>;
}
