import { DrmpError } from "@verai/errors/drmp-error";

/** Longest head of an answer, bytes. */
export const MAX_HEAD_BYTES = 8 * 1024;

/** What the head of an HTTP answer says, as far as it matters here. */
export interface AnswerHead {
  status: number;
  /** Bytes of the head itself, with the empty line. */
  headBytes: number;
  /** Bytes of the body that follows. */
  bodyBytes: number;
  /** Whether the connection may be used again. */
  keepAlive: boolean;
}

/** A peer does not answer as a server of blocks does. */
export class MalformedAnswerError extends DrmpError {
  override readonly name = "MalformedAnswerError";

  constructor(message: string) {
    super("MALFORMED_ANSWER", message);
  }
}

/**
 * Reads the head of an HTTP/1.1 answer. Only answers with a length are understood: blocks have one.
 *
 * @returns undefined if the head is not whole yet.
 * @throws {@link MalformedAnswerError}
 */
export function parseHead(bytes: Buffer, maxBodyBytes: number): AnswerHead | undefined {
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.byteLength >= MAX_HEAD_BYTES) throw new MalformedAnswerError(`no head within ${MAX_HEAD_BYTES} bytes`);
    return undefined;
  }
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(first)?.[1];
  if (status === undefined)
    throw new MalformedAnswerError(`${JSON.stringify(first.slice(0, 40))} begins no HTTP/1.1 answer`);
  let bodyBytes: number | undefined;
  let keepAlive = true;
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "":
        throw new MalformedAnswerError(`${JSON.stringify(line.slice(0, 40))} is no header`);
      case "transfer-encoding":
      case "content-encoding":
        throw new MalformedAnswerError(`an answer with ${name} ${value} has no plain length`);
      case "content-length":
        if (!/^\d{1,15}$/.test(value) || (bodyBytes !== undefined && bodyBytes !== Number(value))) {
          throw new MalformedAnswerError(`content-length ${JSON.stringify(value)} is none`);
        }
        bodyBytes = Number(value);
        break;
      case "connection":
        if (/\bclose\b/i.test(value)) keepAlive = false;
    }
  }
  if (bodyBytes === undefined) {
    if (status !== "204" && status !== "304") throw new MalformedAnswerError("an answer without content-length");
    bodyBytes = 0;
  }
  if (bodyBytes > maxBodyBytes) {
    throw new MalformedAnswerError(`${bodyBytes} bytes, more than the ${maxBodyBytes} that a block has at most`);
  }
  return { status: Number(status), headBytes: end + 4, bodyBytes, keepAlive };
}
