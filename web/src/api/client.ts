import { z } from "zod/mini";

import { bounded } from "./bounded.ts";
import { ANSWERS, type Parameters } from "./generated.ts";

/** A page of the indexer. */
export type PagePath = keyof typeof ANSWERS & keyof Parameters;

/** The answer of a page. */
export type Answer<P extends PagePath> = z.output<(typeof ANSWERS)[P]>;

/** Why the indexer gave no answer that can be shown. */
export class IndexerError extends Error {
  override readonly name = "IndexerError";
  /** The HTTP status; 0 without an answer. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Time for an answer, milliseconds; longest answer, bytes. */
const LIMITS = { ms: 10_000, bytes: 4 * 1024 * 1024 } as const;

/**
 * Asks an indexer for a page, and checks the answer's shape.
 *
 * @throws IndexerError if it does not answer in time, refuses, or answers with something else than the page.
 */
export async function ask<P extends PagePath>(
  indexerUrl: string,
  page: P,
  parameters: Parameters[P],
  signal?: AbortSignal,
): Promise<Answer<P>> {
  const rest = new URLSearchParams();
  let path: string = page;
  for (const [name, value] of Object.entries(parameters) as [string, string | number | undefined][]) {
    if (value === undefined) continue;
    if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, encodeURIComponent(value));
    else rest.set(name, String(value));
  }
  const query = rest.size === 0 ? "" : `?${rest.toString()}`;
  const timeout = AbortSignal.timeout(LIMITS.ms);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${indexerUrl.replace(/\/$/, "")}${path}${query}`, {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    text = await bounded(response, LIMITS.bytes);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const how = timeout.aborted ? `did not answer within ${String(LIMITS.ms / 1000)} s` : "cannot be reached";
    throw new IndexerError(0, `The indexer at ${indexerUrl} ${how}.`, { cause });
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new IndexerError(response.status, `The indexer at ${indexerUrl} answers with something that is no JSON.`, {
      cause,
    });
  }
  if (!response.ok) {
    const told = z.object({ error: z.string() }).safeParse(body);
    throw new IndexerError(
      response.status,
      told.success ? told.data.error.slice(0, 300) : `The indexer answers with status ${String(response.status)}.`,
    );
  }
  const parsed = ANSWERS[page].safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new IndexerError(
      response.status,
      `The indexer's answer to ${path} is not what its description says: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  return parsed.data as Answer<P>;
}
