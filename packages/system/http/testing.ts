import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What came back on a raw connection. */
export interface RawAnswer {
  /** Status of the first answer; 0 if none came. */
  readonly status: number;
  /** All that came. */
  readonly text: string;
  /** Status lines in it. */
  readonly answers: number;
  /** Whether the other side ended the connection. */
  readonly closed: boolean;
  /** Milliseconds until the end, or the limit. */
  readonly ms: number;
}

/** How bytes are sent to a port. */
export interface RawOptions {
  /** Milliseconds between two chunks. */
  readonly pauseMs?: number;
  /** Ends the sending direction after the last chunk. */
  readonly end?: boolean;
  /** Resolves as soon as so many answers have come whole enough to have a status line. */
  readonly answers?: number;
  /** Longest time for all of it, milliseconds. */
  readonly limitMs?: number;
}

/** Sends bytes as they are, and collects what comes back until the other side ends the connection. Never rejects. */
export async function exchangeRaw(
  port: number,
  chunks: readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const { pauseMs = 0, end = false, answers = Infinity, limitMs = 5_000 } = options;
  const started = performance.now();
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  let closed = false;
  const done = Promise.withResolvers<undefined>();
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed = true;
    done.resolve(undefined);
  });
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    if (countAnswers(text) >= answers) done.resolve(undefined);
  });
  const timer = setTimeout(() => {
    done.resolve(undefined);
  }, limitMs);
  void (async () => {
    for (const chunk of chunks) {
      if (closed) return;
      socket.write(chunk);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    if (end && !closed) socket.end();
  })();
  await done.promise;
  clearTimeout(timer);
  socket.destroy();
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
  return { status, text, answers: countAnswers(text), closed, ms: performance.now() - started };
}

/** Sockets that are connected and say nothing, or only what is given. Resolves once all are connected or refused. */
export async function openSockets(port: number, count: number, bytes: string | Uint8Array = ""): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => undefined);
      socket.pause();
      const { promise, resolve } = Promise.withResolvers<undefined>();
      socket.once("connect", () => {
        if (bytes.length > 0) socket.write(bytes);
        resolve(undefined);
      });
      socket.once("close", () => {
        resolve(undefined);
      });
      await promise;
      return socket;
    }),
  );
}

/** Numbers from 0 to 1 that are the same for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A request that is nearly one: whole requests, cut and stirred. Deterministic in `random`. */
export function fuzzedRequest(random: () => number, paths: readonly string[]): Buffer {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const method = pick(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "TRACE", "get", "G\0T", "", "PRI"]);
  const target = pick([
    ...paths,
    "//",
    "*",
    "/%",
    "/%00",
    "http://x/",
    "/\\",
    "/?%ff",
    "x:1",
    "",
    "/#",
    "/../..",
    "///a:b@",
  ]);
  const version = pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "", "HTTP/9.9"]);
  const headers = Array.from({ length: Math.floor(random() * 6) }, () =>
    pick([
      "Host: x",
      "Host: x",
      "Content-Length: 5",
      "Content-Length: -1",
      "Transfer-Encoding: chunked",
      "Expect: 100-continue",
      "Expect: x",
      "Connection: upgrade",
      "Upgrade: websocket",
      "X : y",
      " folded",
      ":",
      `X: ${"y".repeat(Math.floor(random() * 12_000))}`,
      "X: \0",
    ]),
  );
  const bytes = Buffer.from(
    `${method} ${target} ${version}\r\n${headers.join("\r\n")}\r\n\r\n${pick(["", "", "hello", "0\r\n\r\n"])}`,
    "latin1",
  );
  // Some bytes are changed, in some requests; some are cut.
  if (random() < 0.5) {
    for (let n = Math.floor(random() * 4); n > 0; n--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  return random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

function countAnswers(text: string): number {
  return text.match(/HTTP\/1\.1 [1-5]\d\d /g)?.length ?? 0;
}
