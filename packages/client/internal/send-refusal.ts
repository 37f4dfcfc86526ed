import type { PreparedTransaction } from "../tx/types.ts";
import { bumpFees, type Fees } from "./fees.ts";

/**
 * What a node says when a signed transaction is handed to it.
 *
 * - `known`: it has this very transaction
 * - `nonce-used`: the nonce is used, by this transaction or another
 * - `underpriced-replacement`: another transaction with this nonce waits and pays more
 * - `busy`: its pool takes none now, or it lags behind; the same transaction may be taken later
 * - `fee-too-low`, `node-fee-cap`, `gas-too-low`, `gas-above-block`, `funds`: it will not take this one
 * - `never`: it will take nothing of this kind
 * - `unclear`: anything else, from which nothing is concluded
 */
export type SendAnswer =
  | "known"
  | "nonce-used"
  | "underpriced-replacement"
  | "busy"
  | "fee-too-low"
  | "node-fee-cap"
  | "gas-too-low"
  | "gas-above-block"
  | "funds"
  | "never"
  | "unclear";

/** Answers after which a transaction may be in a pool somewhere, or get there, and so be mined one day. */
export const MAY_BE_MINED: readonly (SendAnswer | "accepted")[] = [
  "accepted",
  "known",
  "nonce-used",
  "underpriced-replacement",
  "busy",
  "unclear",
];

/** Sentences of geth, op-geth, reth, Nethermind, Besu, Erigon and Hardhat. First match wins; an allow-list. */
const SEND_ANSWERS: readonly (readonly [RegExp, SendAnswer])[] = [
  [/already known|known transaction|already imported|already exists in the (pool|mempool)|AlreadyKnown/i, "known"],
  [/replacement (transaction|fee)|could not replace existing|gas price too low to replace/i, "underpriced-replacement"],
  [/nonce (is )?too low|nonce has already been used|OldNonce|nonce.*below/i, "nonce-used"],
  [/exceeds the configured cap|tx fee .*cap/i, "node-fee-cap"],
  [/(pool|mempool) is full|txpool.*(overflow|full)|pool overflow|NonceGap|nonce (is )?too (high|distant)/i, "busy"],
  [/address already reserved|in-flight transaction limit|gapped-nonce|future transaction tries to replace/i, "busy"],
  [/insufficient (funds|balance)|doesn't have enough funds|InsufficientFunds|upfront cost/i, "funds"],
  [/intrinsic gas too low|IntrinsicGas|gas (limit )?below intrinsic|floor data gas/i, "gas-too-low"],
  [
    /exceeds (the )?(max(imum)? |block )?(block )?gas limit|gas limit too high|exceeds.*transaction gas cap/i,
    "gas-above-block",
  ],
  [
    /less than block base fee|lower than the (block's|next block's) base|fee ?cap (is )?(too low|less than)/i,
    "fee-too-low",
  ],
  [/underpriced|FeeTooLow|maxFeePerGas.*too low|gas price (is )?(too low|below)/i, "fee-too-low"],
  [/invalid (sender|chain id)|transaction type not supported|replay-protected|max initcode|oversized data/i, "never"],
];

/** What a node's error about a signed transaction means. @param words What it said. */
export function readSendAnswer(words: string): SendAnswer {
  return SEND_ANSWERS.find(([says]) => says.test(words))?.[1] ?? "unclear";
}

/** The node's own words in an error and those it wraps, outermost first; without a transaction or URL. */
export function wordsOf(error: unknown): string {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const look = (part: unknown, depth: number): void => {
    if (typeof part !== "object" || part === null || seen.has(part) || depth > 6) return;
    seen.add(part);
    const { message, shortMessage, what } = part as Record<string, unknown>;
    const own = typeof shortMessage === "string" ? shortMessage : message;
    if (typeof own === "string") found.push(own);
    if (typeof what === "string") found.push(what);
    for (const name of ["cause", "info", "error", "data"]) look((part as Record<string, unknown>)[name], depth + 1);
  };
  look(error, 0);
  return found.join("; ").replaceAll(/\w+:\/\/\S+/g, "(url)");
}

/** The words nearest to the node, for people; at most 200 characters. */
export function innermostWords(error: unknown): string {
  const all = wordsOf(error).split("; ");
  return (all.findLast((words) => !/could not coalesce/.test(words) && words !== "") ?? "no words").slice(0, 200);
}

/** A transaction that the node may take instead. */
export interface Remedy {
  readonly transaction: PreparedTransaction;
  readonly fees: Fees;
}

/**
 * What to hand the node instead of a transaction that it refused, at the same nonce; undefined if nothing helps.
 *
 * @param words The node's; it may name the minimum tip.
 * @param now What a new transaction would offer now; undefined if unknown.
 * @param limits Caps of fee per gas (wei) and gas of a transaction.
 */
export function remedyFor(
  answer: SendAnswer,
  words: string,
  { transaction, fees }: Remedy,
  now: Fees | undefined,
  limits: { readonly maxFeePerGas: bigint; readonly gas: bigint; readonly tipCeiling: bigint },
): Remedy | undefined {
  switch (answer) {
    case "fee-too-low": {
      const least = tipAskedFor(words);
      const asked = least !== undefined && least <= limits.tipCeiling ? least : 0n;
      const room = fees.maxFeePerGas - fees.maxPriorityFeePerGas;
      // Room for the base fee costs nothing that the chain does not take, so the node's word is enough.
      const stated = baseFeeStated(words);
      const roomy = stated !== undefined && 2n * stated + fees.maxPriorityFeePerGas;
      const floor = roomy !== false && roomy <= limits.maxFeePerGas ? { ...fees, maxFeePerGas: roomy } : now;
      const raised = bumpFees(fees, floor, limits.maxFeePerGas);
      if (!raised) return undefined;
      if (asked <= raised.maxPriorityFeePerGas) return { transaction, fees: raised };
      const maxFeePerGas = room + asked > raised.maxFeePerGas ? room + asked : raised.maxFeePerGas;
      return maxFeePerGas <= limits.maxFeePerGas
        ? { transaction, fees: { maxFeePerGas, maxPriorityFeePerGas: asked } }
        : undefined;
    }
    case "node-fee-cap": {
      // What is offered at most is gas x fee: first less room for the base fee to rise, and less gas to spare.
      const room = fees.maxFeePerGas - fees.maxPriorityFeePerGas;
      const lower = { ...fees, maxFeePerGas: (room * 5n) / 8n + fees.maxPriorityFeePerGas };
      const gasLimit = leanGas(transaction);
      if (gasLimit >= transaction.gasLimit) return undefined;
      return { transaction: { ...transaction, gasLimit }, fees: lower };
    }
    case "gas-above-block": {
      const gasLimit = leanGas(transaction);
      return gasLimit < transaction.gasLimit ? { transaction: { ...transaction, gasLimit }, fees } : undefined;
    }
    case "gas-too-low": {
      const more = (transaction.gasLimit * 3n) / 2n;
      return more <= limits.gas ? { transaction: { ...transaction, gasLimit: more }, fees } : undefined;
    }
    default:
      return undefined;
  }
}

/** Code and sentence for a refusal, as people read it after "The node refused …: words." */
export function describeRefusal(answer: SendAnswer): { code: string; retryable: boolean; remedy: string } {
  switch (answer) {
    case "fee-too-low":
      return { code: "FEE_TOO_LOW", retryable: true, remedy: "Wait until fees fall, or raise fees.maxFeePerGas." };
    case "node-fee-cap":
      return {
        code: "NODE_FEE_CAP",
        retryable: false,
        remedy: "The endpoint bounds what one transaction may pay: lower fees.maxFeePerGas, or use another endpoint.",
      };
    case "gas-too-low":
      return { code: "GAS_TOO_LOW", retryable: true, remedy: "Try again with a larger margin of gas." };
    case "gas-above-block":
      return { code: "GAS_TOO_HIGH", retryable: false, remedy: "Do less in one transaction." };
    case "funds":
      return { code: "ETH_TOO_LOW", retryable: false, remedy: "Send the account some ETH on this chain." };
    case "busy":
      return { code: "POOL_BUSY", retryable: true, remedy: "Wait, or use another endpoint." };
    case "underpriced-replacement":
      return {
        code: "REPLACEMENT_UNDERPRICED",
        retryable: true,
        remedy: "Another transaction of this key waits; wait for it, and give each program a key of its own.",
      };
    case "never":
      return { code: "TRANSACTION_REFUSED", retryable: false, remedy: "Check the endpoint and the chain's rules." };
    default:
      return { code: "TRANSACTION_UNCLEAR", retryable: true, remedy: "Check the node's log, or use another endpoint." };
  }
}

/** "gas tip cap 0, minimum needed 1000000" → 1000000. */
function tipAskedFor(words: string): bigint | undefined {
  const [, digits] = /(?:minimum|min|needed)\D{0,20}(\d{1,20})/i.exec(words) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}

/** "maxFeePerGas: 1, baseFee: 2" → 2; "…the next block, which has a baseFeePerGas of 923014978" → 923014978. */
function baseFeeStated(words: string): bigint | undefined {
  const [, digits] = /base ?fee(?:PerGas)?\D{0,8}(\d{1,20})/i.exec(words) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}

/** The estimate and a fifth. */
function leanGas(transaction: PreparedTransaction): bigint {
  return (transaction.estimate * 6n) / 5n;
}
