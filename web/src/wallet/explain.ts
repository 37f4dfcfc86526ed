import {
  type Abi,
  BaseError,
  decodeErrorResult,
  type Hex,
  HttpRequestError,
  TimeoutError,
  UserRejectedRequestError,
} from "viem";

import { messageOf } from "../ui/message.ts";

/** An error with a sentence for people in place of what libraries say. */
export class ActionError extends Error {
  override readonly name: string;

  constructor(name: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = name;
  }
}

/** What went wrong, in a sentence with its remedy. The contracts' sentences are fetched when the first one is needed. */
export async function explained(error: unknown): Promise<ActionError> {
  if (error instanceof ActionError) return error;
  if (isRejection(error)) {
    return new ActionError(
      "Rejected",
      "You rejected the request in your wallet; nothing was sent. Try again if you want it.",
      error,
    );
  }
  const data = revertData(error);
  if (data !== undefined) {
    const [{ describeError }, { ERRORS_ABI }] = await Promise.all([
      import("@verai/client/describe-error"),
      import("@verai/client/generated/abis"),
    ]);
    try {
      const { errorName, args = [], abiItem } = decodeErrorResult({ abi: ERRORS_ABI as unknown as Abi, data });
      const types = abiItem.type === "error" ? abiItem.inputs.map(({ type }) => type) : [];
      const { name, message } = describeError(`${errorName}(${types.join(",")})`, args);
      return new ActionError(name, message, error);
    } catch {
      return new ActionError(
        "Reverted",
        `The contract refused with an error that this page does not know (${data.slice(0, 10)}).`,
        error,
      );
    }
  }
  if (isSilence(error)) {
    return new ActionError(
      "EndpointFailed",
      "The chain's endpoint gives no answer: it failed, or took too long. Try again in a moment; if it stays so, another copy of this page uses another endpoint.",
      error,
    );
  }
  const text = messageOf(error);
  if (/insufficient funds|exceeds the balance/i.test(text)) {
    return new ActionError(
      "NoEther",
      "The account has too little ETH for gas: get some, or use a passkey account, whose gas is paid for.",
      error,
    );
  }
  if (/unknown RPC error/i.test(text) && error instanceof BaseError) {
    return new ActionError(
      "WalletFailed",
      `Your wallet answers with an error of its own: ${error.details.slice(0, 200)}. Look there whether something was sent before you try again.`,
      error,
    );
  }
  return new ActionError(error instanceof Error ? error.name : "Error", text, error);
}

function isRejection(error: unknown): boolean {
  if (error instanceof DOMException && error.name === "NotAllowedError") return true;
  if (typeof error !== "object" || error === null) return false;
  if ("code" in error && error.code === 4001) return true;
  return error instanceof BaseError && error.walk((each) => each instanceof UserRejectedRequestError) !== null;
}

/** Whether the endpoint of the chain gave no answer: it could not be reached, took too long, or answered with no JSON-RPC. */
export function isSilence(error: unknown): boolean {
  if (error instanceof SyntaxError) return true;
  if (!(error instanceof BaseError)) return false;
  return error.walk((each) => each instanceof HttpRequestError || each instanceof TimeoutError) !== null;
}

/** The bytes that a contract reverted with, wherever the library put them. */
function revertData(error: unknown, depth = 0): Hex | undefined {
  if (typeof error !== "object" || error === null || depth > 8) return undefined;
  const { data, cause } = error as { data?: unknown; cause?: unknown };
  if (typeof data === "string" && /^0x[0-9a-f]{8,}$/i.test(data) && (data.length - 10) % 64 === 0) return data as Hex;
  return revertData(data, depth + 1) ?? revertData(cause, depth + 1);
}
