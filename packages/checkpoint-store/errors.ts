import { DrmpError } from "@verai/errors/drmp-error";

/**
 * What can go wrong in the checkpoint store, as a stable code:
 *
 * - `NOT_FOUND`: a block is neither here nor, within the time allowed, at any connected peer
 * - `TIMEOUT`: blocks were still arriving when the time allowed for the whole fetch was over; a peer did not answer a
 *   request in time
 * - `TOO_LARGE`: the content exceeds the caller's bound
 * - `CORRUPT`: bytes do not match their CID, and no good copy could be had
 * - `INVALID_CID`: not a CID that the store handles (sha2-256 with codec raw or dag-pb)
 * - `INVALID_DIRECTORY`: the CID's content is not a tree of plain files and directories with safe names
 * - `INVALID_SOURCE`: a path to be added is not made of plain files and directories
 * - `DESTINATION_EXISTS`: the place to write to is taken
 * - `STORE_FULL`: the store's size bound leaves no room beside what is pinned or in use
 * - `DISK_FULL`: no space left, or the quota is used up
 * - `DISK_FAILED`: the file system refused for another reason (permissions, a read-only or broken disk…)
 * - `IN_USE`: another process, or another store of this one, works in the directory
 * - `IDENTITY`: the key file of the store's peer identity can't be used
 * - `LISTEN_FAILED`: the network address can't be listened on
 * - `NOT_STARTED`: the store is not running (or was stopped during the call)
 * - `UNREACHABLE`: a peer can't be connected to, or the connection broke before its answer
 * - `UNSUPPORTED`: a peer does not speak the protocol of the request
 * - `BAD_MESSAGE`: a request or an answer is too long or malformed
 * - `REFUSED`: a peer will not do what it was asked for; the message says why, `peerCode` holds the peer's own code
 * - `BUSY`: a peer has too much to answer already
 */
export type CheckpointErrorCode =
  | "NOT_FOUND"
  | "TIMEOUT"
  | "TOO_LARGE"
  | "CORRUPT"
  | "INVALID_CID"
  | "INVALID_DIRECTORY"
  | "INVALID_SOURCE"
  | "DESTINATION_EXISTS"
  | "STORE_FULL"
  | "DISK_FULL"
  | "DISK_FAILED"
  | "IN_USE"
  | "IDENTITY"
  | "LISTEN_FAILED"
  | "NOT_STARTED"
  | "UNREACHABLE"
  | "UNSUPPORTED"
  | "BAD_MESSAGE"
  | "REFUSED"
  | "BUSY";

/** What another try may find over. */
const PASSING: ReadonlySet<CheckpointErrorCode> = new Set(["TIMEOUT", "UNREACHABLE", "BUSY"]);

/** An error of the checkpoint store. The message names the offending value and the remedy. */
export class CheckpointError extends DrmpError {
  override readonly name = "CheckpointError";
  declare readonly code: CheckpointErrorCode;
  /** With `REFUSED`: the code that the peer gave, as it says. */
  readonly peerCode: string | undefined;

  constructor(code: CheckpointErrorCode, message: string, options?: { cause?: unknown; peerCode?: string }) {
    super(code, message, {
      ...(options !== undefined && "cause" in options && { cause: options.cause }),
      retryable: PASSING.has(code),
    });
    this.peerCode = options?.peerCode;
  }
}

/** The `code` of a Node.js system error (`ENOENT`…), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns a file system's refusal to write into a {@link CheckpointError} that names the directory: `DISK_FULL` if no
 * space or quota is left, else `DISK_FAILED`. Returns every other error as it is.
 */
export function explainWriteError(error: unknown, directory: string): unknown {
  const code = systemErrorCode(error);
  if (error instanceof CheckpointError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new CheckpointError(
      "DISK_FULL",
      `No space left to write under ${directory} (${code}): free some space, or unpin checkpoints and collect garbage, then try again`,
      { cause: error },
    );
  }
  return new CheckpointError(
    "DISK_FAILED",
    `Cannot write under ${directory} (${code}): check that it exists, that this user may write to it, and that its disk works`,
    { cause: error },
  );
}
