import { isHexString, keccak256 } from "ethers";

import { RpcUnavailableError, type RpcFailure } from "../errors.ts";
import { RPC_MESSAGES } from "./rpc-messages.ts";
import { type RpcCall, shapeProblem } from "./rpc-shapes.ts";

/**
 * What a response to a call is worth.
 *
 * - `answer`: a result of the method's shape
 * - `revert`: the code ran and reverted; `data` is what it reverted with, "0x" if nothing
 * - `refusal`: a known sentence about the transaction or call; `local` if another endpoint may accept it all the same
 * - `rate-limited`: no answer, because too much was asked; `pauseMs` is the pause that the endpoint asks for, if it does
 * - `unavailable`: no answer, for `reason`
 *
 * Only the first three say anything about the chain.
 */
export type Verdict =
  | { readonly kind: "answer" }
  | { readonly kind: "revert"; readonly data: string }
  | { readonly kind: "refusal"; readonly code: string; readonly local: boolean }
  | { readonly kind: "rate-limited"; readonly what: string; readonly pauseMs?: number | undefined }
  | { readonly kind: "unavailable"; readonly reason: RpcFailure; readonly what: string };

/** Methods that run code or judge a transaction, and so may fail with something that is true of the chain. */
const EXECUTES = /^(eth_(call|estimateGas|createAccessList|sendRawTransaction|sendTransaction)$|debug_trace)/;

/** Longest part of a node's own words that is shown. */
const WORDS = 300;

/**
 * Judges the response to a call by what is known to be an answer; everything else is none. O(size of the response).
 *
 * @param response The member of the JSON-RPC response that belongs to the call's id.
 */
export function classifyAnswer(call: RpcCall, response: unknown): Verdict {
  if (typeof response !== "object" || response === null || Array.isArray(response)) {
    return malformed(`the answer to ${call.method} is no JSON-RPC response`);
  }
  const { jsonrpc, result, error } = response as { jsonrpc?: unknown; result?: unknown; error?: unknown };
  if (jsonrpc !== undefined && jsonrpc !== "2.0")
    return malformed(`the answer to ${call.method} is not of JSON-RPC 2.0`);
  if (error !== undefined && error !== null) {
    if (result !== undefined && result !== null)
      return malformed(`the answer to ${call.method} is both a result and an error`);
    return classifyError(call, error);
  }
  if (result === undefined) return malformed(`the answer to ${call.method} holds neither a result nor an error`);
  const problem = shapeProblem(call, result);
  if (problem === "behind") {
    return { kind: "unavailable", reason: "behind", what: `${call.method} found no such block` };
  }
  if (problem !== undefined) return malformed(`the answer to ${call.method} cannot be right: ${problem}`);
  // A hash of something else means that something else was sent on.
  const raw = call.method === "eth_sendRawTransaction" && Array.isArray(call.params) ? (call.params[0] as unknown) : "";
  if (isHexString(raw) && typeof result === "string" && keccak256(raw) !== result.toLowerCase()) {
    return malformed("the answer to eth_sendRawTransaction is the hash of another transaction");
  }
  return { kind: "answer" };
}

/** Judges a JSON-RPC error object; see {@link classifyAnswer}. */
export function classifyError(call: RpcCall, error: unknown): Verdict {
  const said = wordsOf(error);
  const code = field(error, "code");
  if (EXECUTES.test(call.method)) {
    const data = revertDataOf(error);
    if (data !== undefined || code === 3 || /\brevert(ed)?\b/i.test(said))
      return { kind: "revert", data: data ?? "0x" };
    const known = RPC_MESSAGES.find(({ says }) => says.test(said));
    if (known) return { kind: "refusal", code: known.code, local: known.local === true };
  }
  const what = said === "" ? `error ${String(code)} without words` : said;
  const reason = failureOf(code, said);
  if (reason === "throttled") return { kind: "rate-limited", what, pauseMs: pauseOf(error, said) };
  return { kind: "unavailable", reason, what };
}

/** Why an HTTP status of 400 or above (or of 300 to 399, a redirection) is no answer. */
export function statusFailure(status: number): RpcFailure {
  if (status === 429) return "throttled";
  if (status === 413) return "too-large";
  if (status === 408 || status === 504 || status === 524) return "timeout";
  // What another try of the same request does not change, unlike 404, 409, 421 or 425 of a balancer that is being moved.
  return [401, 402, 403, 404, 405, 407, 410, 411, 415, 451].includes(status) || (status >= 300 && status < 400)
    ? "refused"
    : "server";
}

/** What an endpoint means that gives no answer. A hint for pauses and remedies: whether it is an answer is not decided here. */
function failureOf(code: unknown, said: string): RpcFailure {
  if (
    /(response|result|payload|request|body)( size)?( is)? (too )(large|big)|exceed\w* (the )?(max\w* )?response size|more than \d+ (results|logs)|(block )?ranges? (too|over|is too)|range (too )?(large|big)|batch.*(too large|limit|exceed)/i.test(
      said,
    )
  )
    return "too-large";
  if (/pending (block|state) is not (available|supported)/i.test(said)) return "unsupported";
  if (code === -32005 || code === -32016 || code === -32029 || code === -32097 || code === 429) return "throttled";
  if (
    /rate.?limit|too many requests|request (limit|count)|over capacity|exceeded.*(capacity|quota|limit)|compute units|throttl|quota|retry in \d/i.test(
      said,
    )
  )
    return "throttled";
  if (
    /header not found|(unknown|missing|could not find|failed to get|no such) (block|header)|(block|header)( for hash| number)? (is )?not (found|available)|missing trie node|invalid block tag|state .*(not available|unavailable|pruned|indexed)|(historical|requested) (state|data|block)|beyond current head|empty reader set|finalized block|safe block/i.test(
      said,
    )
  )
    return "behind";
  if (/tim(ed|e)[ -]?out|deadline exceeded|execution aborted/i.test(said)) return "timeout";
  if (/api.?key|unauthori[sz]ed|forbidden|must be authenticated|access denied|not allowed to access/i.test(said))
    return "refused";
  if (code === -32601 || code === -32602 || code === -32600 || code === -32700 || code === -32004) return "unsupported";
  if (
    /method .*(not (found|supported|available|allowed)|does not exist)|unsupported method|not whitelisted/i.test(said)
  )
    return "unsupported";
  return "server";
}

/**
 * Why a request got no answer, or undefined if the error is an answer (or a mistake of the caller's).
 *
 * @param error What the transport threw.
 */
export function transportFailure(error: unknown): RpcFailure | undefined {
  if (error instanceof RpcUnavailableError) return error.reason;
  const code = stringField(error, "code");
  if (code === undefined) return undefined;
  if (CONNECTION.test(code)) return "connection";
  if (code === "TIMEOUT" || code === "ETIMEDOUT") return "timeout";
  if (code === "SERVER_ERROR") return statusFailure(Number(field(field(error, "response"), "statusCode")));
  // An answer that is no JSON, such as a proxy's error page.
  if (code === "UNSUPPORTED_OPERATION" && stringField(error, "operation") === "bodyJson") return "server";
  return undefined;
}

/** System and TLS errors of a connection that could not be made or did not last. */
const CONNECTION =
  /^(ECONN\w+|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EPIPE|EADDRNOTAVAIL|EPROTO|NETWORK_ERROR|HPE_\w+|ERR_(TLS|SSL|PROXY)_?\w*|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|UND_ERR_\w+)$/;

/** Words and codes of an HTTP error body or a JSON-RPC error, in one line; empty if it has none. */
export function wordsOf(error: unknown): string {
  if (typeof error === "string") return oneLine(error);
  const message = field(error, "message");
  if (typeof message === "string") return oneLine(message);
  const data = field(error, "data");
  return typeof data === "string" && !data.startsWith("0x") ? oneLine(data) : "";
}

/**
 * The bytes that a contract reverted with, from wherever a node puts them: `data`, `data.data`, `data.result`, or after
 * "Reverted". Undefined if there are none.
 */
export function revertDataOf(error: unknown): string | undefined {
  const data = field(error, "data");
  for (const one of [data, field(data, "data"), field(data, "result"), field(field(data, "originalError"), "data")]) {
    const hex = typeof one === "string" ? /^(?:reverted )?(0x(?:[0-9a-f]{2})*)$/i.exec(one.trim())?.[1] : undefined;
    if (hex !== undefined && hex.length >= 10) return hex.toLowerCase();
  }
  return undefined;
}

/** The pause of a `Retry-After` header (seconds or a date), milliseconds; undefined if there is none that can be read. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function pauseOf(error: unknown, said: string): number | undefined {
  const backoff = Number(field(field(field(error, "data"), "rate"), "backoff_seconds"));
  if (Number.isFinite(backoff) && backoff > 0) return backoff * 1000;
  const [, number, unit] = /(?:retry|again) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|m)?/i.exec(said) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * (unit === "ms" ? 1 : unit === "m" ? 60_000 : 1000);
}

function malformed(what: string): Verdict {
  return { kind: "unavailable", reason: "server", what };
}

/** Text of a stranger's, fit for a log: one line, no control characters, bounded. */
function oneLine(text: string): string {
  return text
    .slice(0, 4 * WORDS)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, WORDS);
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function stringField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}
