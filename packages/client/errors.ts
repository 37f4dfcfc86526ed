import { DrmpError, type DrmpErrorOptions, type ErrorDetails } from "@verai/errors/drmp-error";

export type { ErrorDetails } from "@verai/errors/drmp-error";

type ErrorOptionsWithDetails = Omit<DrmpErrorOptions, "retryable">;

/** What went wrong with the chain, in one sentence that names the values and the remedy. */
export class ChainError extends DrmpError {
  override readonly name: string = "ChainError";

  constructor(code: string, retryable: boolean, message: string, options: ErrorOptionsWithDetails = {}) {
    super(code, message, { ...options, retryable });
  }
}

/**
 * Why an RPC endpoint gave no answer.
 *
 * - `connection`: refused, reset or unknown host
 * - `timeout`: no answer in time
 * - `throttled`: too many requests
 * - `server`: an error of the server's own, or an answer that is no JSON-RPC
 * - `refused`: the endpoint does not let us in (401, 403, 404, a redirection); trying again is pointless
 * - `unsupported`: the endpoint does not know the method, or not with these parameters; trying again is pointless
 * - `too-large`: the request or its answer is too large for the endpoint
 * - `behind`: the endpoint does not know a block that we have already seen
 */
export type RpcFailure =
  | "connection"
  | "timeout"
  | "throttled"
  | "server"
  | "refused"
  | "unsupported"
  | "too-large"
  | "behind";

/**
 * The chain could not be asked. Where a transaction was to be sent, `details.sent` says whether an endpoint may have got
 * it all the same. It says nothing about what is on the chain: never take it for an absence.
 */
export class RpcUnavailableError extends ChainError {
  override readonly name = "RpcUnavailableError";
  readonly reason: RpcFailure;

  constructor(reason: RpcFailure, message: string, options: ErrorOptionsWithDetails = {}) {
    super("RPC_UNAVAILABLE", reason !== "refused" && reason !== "unsupported", message, options);
    this.reason = reason;
  }
}

/**
 * A transaction was signed and handed to the network, and what became of it is not known yet. It stays in the journal;
 * whatever is sent next by the same key waits for it first. It may still be mined, so never take it for "not sent".
 */
export class TransactionUnconfirmedError extends ChainError {
  override readonly name = "TransactionUnconfirmedError";
  readonly nonce: number;
  /** Every transaction that was signed for the nonce; at most one of them is ever mined. */
  readonly hashes: readonly string[];

  /** @param why What is known about it, as the rest of a sentence about the transaction. */
  constructor(label: string, nonce: number, hashes: readonly string[], why: string, cause?: unknown) {
    super(
      "SENT_UNCONFIRMED",
      false,
      `"${label}" was sent as ${hashes.join(", replaced by ")} (nonce ${String(nonce)}) and ${why}. It may still be mined: ` +
        "look at the hash before you send it again. What this key sends next waits for it first.",
      { cause, details: { hash: hashes.at(-1), hashes, nonce } },
    );
    this.nonce = nonce;
    this.hashes = hashes;
  }
}

/** The endpoint serves another chain than the one configured. */
export class WrongNetworkError extends ChainError {
  override readonly name = "WrongNetworkError";

  constructor(expected: number, actual: number, url: string) {
    super(
      "WRONG_NETWORK",
      false,
      `The RPC endpoint ${url} serves chain ${actual}, but chain ${expected} is configured. ` +
        `Use an endpoint of chain ${expected}, or configure chain ${actual} and its deployment.`,
      { details: { expected, actual, url } },
    );
  }
}

/** A contract refused: it reverted with an error of its own (or a reason text, or a panic). */
export class ContractRefusalError extends ChainError {
  override readonly name = "ContractRefusalError";
  /** Name of the contract's error, such as `AskNotOnTick`; `Error` for a reason text, `Panic` for a failed assertion. */
  readonly refusal: string;
  /** Its arguments by name. */
  readonly args: ErrorDetails;

  constructor(
    code: string,
    retryable: boolean,
    message: string,
    refusal: { readonly name: string; readonly args: ErrorDetails },
    options: ErrorOptionsWithDetails = {},
  ) {
    super(code, retryable, message, {
      ...options,
      details: { ...options.details, refusal: refusal.name, args: refusal.args },
    });
    this.refusal = refusal.name;
    this.args = refusal.args;
  }
}

/** Whether an error is (or was caused by) the refusal of a contract with this error's name, e.g. `RoundTooSoon`. */
export function isRefusal(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof ContractRefusalError && (names.length === 0 || names.includes(error.refusal));
}
