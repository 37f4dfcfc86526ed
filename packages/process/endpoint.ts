import type { ServerResponse } from "node:http";

import { Gauge, type Registry } from "prom-client";

import { DrmpError, type ErrorDetails } from "@verai/errors/drmp-error";
import { closeServer, listen } from "@verai/system/http/listen";
import { createGuardedServer, type HttpLimits, refuse, sendJson } from "@verai/system/http/server";
import type { Heartbeat } from "./heartbeat.ts";

/** What `/health` tells beside the heartbeat. */
export type Details = () => Record<string, unknown>;

/** A page's answer to a query, as JSON. Rejects with {@link PageError} for a query that it does not answer. */
export type Page = (query: URLSearchParams) => Promise<object>;

/** A query that a page does not answer: 400 if it is malformed, 404 if it names what does not exist. */
export class PageError extends DrmpError {
  override readonly name = "PageError";
  readonly status: 400 | 404;

  /** @param details More for the answer, such as the names that exist. */
  constructor(status: 400 | 404, message: string, details: ErrorDetails = {}) {
    super(status === 404 ? "PAGE_MISSING" : "QUERY_INVALID", message, { details });
    this.status = status;
  }
}

/** What bounds the port of `/health`: scrapers and probes ask a few times a minute. */
const LIMITS: HttpLimits = {
  maxConnections: 128,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  idleMs: 30_000,
  stallMs: 10_000,
  answerMs: 20_000,
  pipelined: 8,
  perSecond: 50,
  burst: 200,
};

/** Time for a page or the metrics to be made, milliseconds: the chain may not answer. */
const PAGE_MS = 10_000;

/**
 * Serves `/health` (200 while the heartbeat is good, else 503; JSON) and `/metrics` (Prometheus text), to `GET` and `HEAD`.
 * Nothing that is sent to it ends, blocks or grows the process; see {@link createGuardedServer}.
 *
 * @param port 0 picks a free one.
 * @returns The address it listens on, and a way to stop.
 */
export async function serveHealth(options: {
  host: string;
  port: number;
  heartbeat: Heartbeat;
  registry: Registry;
  details?: Details;
  /** More pages by path, each a JSON answer to a query. */
  pages?: Readonly<Record<string, Page>>;
  /** Bounds that differ from the usual ones. */
  limits?: Partial<HttpLimits & { readonly pageMs: number }>;
}): Promise<{ url: string; close: () => Promise<void> }> {
  new Gauge({
    name: "drmp_heartbeat_age_seconds",
    help: "Time since a loop's last good cycle",
    labelNames: ["loop"],
    registers: [options.registry],
    collect() {
      for (const { name, ageSeconds } of options.heartbeat.beats()) this.set({ loop: name }, ageSeconds);
    },
  });
  const pages = new Map(Object.entries(options.pages ?? {}));
  const { pageMs = PAGE_MS, ...limits } = options.limits ?? {};
  /** Metrics that are being collected: other requests meanwhile get the same. */
  let collecting: Promise<string> | undefined;
  const metrics = (): Promise<string> => {
    collecting ??= options.registry.metrics().finally(() => {
      collecting = undefined;
    });
    return collecting;
  };
  const server = createGuardedServer({ ...LIMITS, ...limits }, async ({ path, query, response }) => {
    const page = pages.get(path);
    // Taken for an address with a host by some who parse URLs.
    if (path.startsWith("//")) return refuse(response, 400, "the path has to begin with a single slash");
    if (path === "/health") {
      const body = { healthy: options.heartbeat.healthy, loops: options.heartbeat.beats(), ...options.details?.() };
      sendJson(response, body.healthy ? 200 : 503, body);
    } else if (path === "/metrics") {
      await sendMetrics(response, inTime(metrics(), pageMs), options.registry.contentType);
    } else if (page) {
      await sendPage(response, inTime(page(query), pageMs));
    } else {
      refuse(response, 404, `try ${["/health", "/metrics", ...pages.keys()].join(", ")}`);
    }
  });
  const url = await listen(server, options);
  return { url, close: () => closeServer(server) };
}

async function sendMetrics(response: ServerResponse, metrics: Promise<string>, contentType: string): Promise<void> {
  try {
    const text = await metrics;
    if (response.destroyed) return;
    response.writeHead(200, { "content-type": contentType, "content-length": Buffer.byteLength(text) });
    response.end(text);
  } catch (error) {
    refuse(response, 503, error instanceof Error ? error.message : String(error));
  }
}

async function sendPage(response: ServerResponse, body: Promise<object>): Promise<void> {
  try {
    sendJson(response, 200, await body);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [status, details] = error instanceof PageError ? [error.status, error.details] : [503, {}];
    sendJson(response, status, { error: message, ...details });
  }
}

/** The promise, or an error if it takes longer than `ms`. */
async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  // Nobody may be left to see it fail.
  promise.catch(() => undefined);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`The answer was not ready within ${String(ms)} ms: ask again later.`));
  }, ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
