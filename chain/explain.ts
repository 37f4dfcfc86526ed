import { isHexString } from "ethers";

import { ChainError, RpcUnavailable } from "./errors.ts";
import { explainRevert } from "./internal/refusals.ts";
import { transportFailure } from "./internal/rpc-failure.ts";

/** What nodes say in words of their own, as codes and sentences of ours. First match wins. */
const SAYINGS: readonly {
  readonly says: RegExp;
  readonly code: string;
  readonly retryable: boolean;
  readonly sentence: string;
}[] = [
  {
    says: /insufficient (funds|balance)|doesn't have enough funds|INSUFFICIENT_FUNDS/i,
    code: "ETH_TOO_LOW",
    retryable: false,
    sentence: "The sender has too little ETH for the transaction's gas; send it some ETH on this chain.",
  },
  {
    says: /nonce too low|nonce has already been used|NONCE_EXPIRED/i,
    code: "NONCE_TOO_LOW",
    retryable: true,
    sentence:
      "The nonce was used by another transaction of the same key; try again, and give each program a key of its own.",
  },
  {
    says: /replacement (transaction|fee)|REPLACEMENT_UNDERPRICED/i,
    code: "REPLACEMENT_UNDERPRICED",
    retryable: true,
    sentence:
      "Another transaction with this nonce waits, and the new one pays too little to replace it; wait, or pay at least 12.5 % more.",
  },
  {
    says: /already known|known transaction|already imported|already exists in the (pool|mempool)/i,
    code: "ALREADY_KNOWN",
    retryable: false,
    sentence: "The node has this very transaction already; wait for its receipt.",
  },
  {
    says: /less than block base fee|lower than the (block's|next block's) base|fee ?cap (is )?(too low|less than)|underpriced|maxFeePerGas.*too low/i,
    code: "FEE_TOO_LOW",
    retryable: true,
    sentence: "The fee per gas is below what the chain takes now; try again with a fresh fee.",
  },
  {
    says: /(exceeds|greater than|higher than).*(gas (limit|cap)|cap)|intrinsic gas too high|transaction gas cap/i,
    code: "GAS_TOO_HIGH",
    retryable: false,
    sentence: "The transaction needs more gas than one transaction may use (16,777,216); do less in one transaction.",
  },
  {
    says: /out of gas|ran out of gas|gas required exceeds/i,
    code: "OUT_OF_GAS",
    retryable: false,
    sentence: "The call ran out of gas; do less at once.",
  },
  {
    says: /could not decode result data/i,
    code: "NO_CONTRACT",
    retryable: false,
    sentence:
      "The contract's answer cannot be read: there is none at this address on this chain, or one of another version. " +
      "Check the deployment file, or deploy again.",
  },
];

/**
 * Turns whatever ethers or a node threw into a {@link ChainError} whose sentence names values and remedy. An error that
 * already is one is returned as it is.
 */
export function explain(error: unknown): ChainError {
  if (error instanceof ChainError) return error;
  const data = revertData(error);
  if (data !== undefined) return explainRevert(data, error);
  const reason = transportFailure(error);
  if (reason) {
    return new RpcUnavailable(
      reason,
      "The RPC endpoint gave no answer. Check that the node runs and that the URL is right.",
    );
  }
  const said = [fieldOf(error, "code"), ...messages(error)].join("\n");
  const known = SAYINGS.find(({ says }) => says.test(said));
  if (known) return new ChainError(known.code, known.retryable, known.sentence, { cause: error });
  if (fieldOf(error, "code") === "CALL_EXCEPTION") {
    return new ChainError(
      "REVERTED_WITHOUT_REASON",
      false,
      `The call failed without a reason (${messages(error).at(-1) ?? "none given"}); check that the deployment belongs to this chain.`,
      { cause: error },
    );
  }
  return new ChainError("UNEXPECTED", false, `Unexpected error: ${messages(error)[0] ?? String(error)}`, {
    cause: error,
  });
}

/**
 * The bytes that a contract reverted with, from wherever a node or ethers put them; undefined if there are none.
 * The transaction that was sent is not looked into.
 */
export function revertData(error: unknown): string | undefined {
  for (const part of parts(error)) {
    const data = fieldOf(part, "data");
    // A selector and whole words; anything else called `data` is not a revert.
    if (isHexString(data) && data.length >= 10 && (data.length - 10) % 64 === 0) return data;
  }
  return undefined;
}

/** What an error and those inside it say, outermost first. */
function messages(error: unknown): string[] {
  // ethers' own messages repeat the whole transaction; their short form is what matters.
  return parts(error)
    .map((part) => fieldOf(part, "shortMessage") ?? fieldOf(part, "message"))
    .filter((text) => typeof text === "string");
}

/** The error and what it wraps, outermost first; at most a handful. */
function parts(error: unknown): unknown[] {
  const found: unknown[] = [error];
  for (let i = 0; i < found.length && found.length < 16; i++) {
    for (const name of ["data", "info", "error", "cause"]) {
      const inner = fieldOf(found[i], name);
      if (typeof inner === "object" && inner !== null && !found.includes(inner)) found.push(inner);
    }
  }
  return found;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
