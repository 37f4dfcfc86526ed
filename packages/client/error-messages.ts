import { isHexString } from "ethers";

import { ChainError, RpcUnavailableError } from "./errors.ts";
import { explainRevert } from "./internal/contract-errors.ts";
import { transportFailure, wordsOf } from "./internal/rpc-failure.ts";
import { RPC_MESSAGES } from "./internal/rpc-messages.ts";

/** What ethers says of an answer that it cannot read. */
const UNREADABLE = /could not decode result data/i;

/**
 * Turns whatever ethers or a node threw into a {@link ChainError} whose sentence names values and remedy. An error that
 * already is one is returned as it is.
 */
export function explain(error: unknown): ChainError {
  if (error instanceof ChainError) return error;
  const data = revertData(error);
  if (data !== undefined) return explainRevert(data, error);
  const reason = transportFailure(error);
  const texts = messages(error);
  if (reason) {
    const what = String(fieldOf(error, "code"));
    return new RpcUnavailableError(
      reason,
      `The RPC endpoint gave no answer (${reason}: ${what}). Check that the node runs and that the URL is right.`,
    );
  }
  const said = [fieldOf(error, "code"), ...texts].join("\n");
  if (UNREADABLE.test(said)) {
    const message =
      "The contract's answer cannot be read: there is none at this address on this chain, or one of another version. " +
      "Check the deployment file, or deploy again.";
    return new ChainError("NO_CONTRACT", false, message, { cause: error });
  }
  const node = nodeWords(error);
  const words = node === undefined ? "" : ` The node says: "${node}".`;
  const known = RPC_MESSAGES.find(({ says }) => says.test(said));
  if (known) return new ChainError(known.code, known.retryable, `${known.sentence}${words}`, { cause: error });
  if (fieldOf(error, "code") === "CALL_EXCEPTION") {
    return new ChainError(
      "REVERTED_WITHOUT_REASON",
      false,
      `The call failed without a reason (${node ?? texts.at(-1) ?? "none given"}); check that the deployment belongs to this chain.`,
      { cause: error },
    );
  }
  return new ChainError("UNEXPECTED", false, `Unexpected error: ${node ?? texts[0] ?? String(error)}`, {
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

/** What the node itself says: the words of the JSON-RPC error that ethers wraps, in one line; undefined if there is none. */
function nodeWords(error: unknown): string | undefined {
  const own = parts(error).find((part) => !(part instanceof Error) && typeof fieldOf(part, "message") === "string");
  const words = own === undefined ? "" : wordsOf(own);
  return words === "" ? undefined : words;
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
