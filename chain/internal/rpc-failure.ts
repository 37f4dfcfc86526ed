import { RpcUnavailable, type RpcFailure } from "../errors.ts";

/** System errors of a connection that could not be made or did not last. */
const CONNECTION =
  /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EPIPE|EADDRNOTAVAIL|NETWORK_ERROR)$/;

/**
 * Why a request got no answer, or undefined if the error is an answer (or a mistake of the caller's).
 *
 * @param error What the transport threw.
 */
export function transportFailure(error: unknown): RpcFailure | undefined {
  if (error instanceof RpcUnavailable) return error.reason;
  const code = stringField(error, "code");
  if (code === undefined) return undefined;
  if (CONNECTION.test(code)) return "connection";
  if (code === "TIMEOUT" || code === "ETIMEDOUT") return "timeout";
  if (code === "SERVER_ERROR") return statusFailure(statusOf(error));
  // An answer that is no JSON, such as a proxy's error page.
  if (code === "UNSUPPORTED_OPERATION" && stringField(error, "operation") === "bodyJson") return "server";
  return undefined;
}

/** Why a JSON-RPC error object is no answer about the chain, or undefined if it is one. */
export function answerFailure(error: { readonly code?: unknown; readonly message?: unknown }): RpcFailure | undefined {
  const message = typeof error.message === "string" ? error.message : "";
  if (/revert/i.test(message)) return undefined;
  if (error.code === -32005 || error.code === 429 || /rate limit|too many requests/i.test(message)) return "throttled";
  if (/header not found|unknown block|block not found|missing trie node|invalid block tag/i.test(message))
    return "behind";
  if (/response (size )?(is )?too (large|big)|exceed\w* (the )?(max\w* )?response size/i.test(message))
    return "too-large";
  if (/temporarily unavailable|service unavailable|request timed? ?out/i.test(message)) return "server";
  return undefined;
}

/** The pause that a throttling endpoint asks for, milliseconds; undefined if it does not say. */
export function retryAfter(error: unknown): number | undefined {
  const response = field(error, "response");
  const seconds = Number(stringField(field(response, "headers"), "retry-after"));
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function statusFailure(status: number): RpcFailure {
  if (status === 429) return "throttled";
  if (status === 413) return "too-large";
  if (status === 408 || status === 504) return "timeout";
  return status >= 400 && status < 500 ? "refused" : "server";
}

function statusOf(error: unknown): number {
  return Number(field(field(error, "response"), "statusCode"));
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function stringField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}
