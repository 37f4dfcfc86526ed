import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { closeServer, listen } from "@verai/system/http/listen";

/** What a service answers. */
interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
}

/** What stands between says to a request. */
interface Twist {
  /** An answer in place of the real service's, which is then not asked. */
  readonly instead?: (path: string, body: Buffer) => Answer | undefined | Promise<Answer | undefined>;
  /** What becomes of the real one's answer. */
  readonly change?: (path: string, answer: Answer & { readonly body: Buffer }) => Answer | Promise<Answer>;
}

/** A service that stands between. */
export interface Between {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A service between pages and a real one, which it asks unless it has an answer of its own. Any page may ask it. */
export async function between(real: string, { instead, change }: Twist): Promise<Between> {
  const server = createServer((request, response) => {
    const pass = async () => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "content-type");
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const [path, body] = [request.url ?? "/", Buffer.concat(parts)];
      const own = await instead?.(path, body);
      if (own) return response.writeHead(own.status).end(own.body);
      const headers = { "content-type": request.headers["content-type"] ?? "application/octet-stream" };
      const init = request.method === "POST" ? { method: "POST", headers, body } : {};
      const got = await fetch(path === "/" ? real : `${real}${path}`, init);
      const answered = { status: got.status, body: Buffer.from(await got.arrayBuffer()) };
      const told = (await change?.(path, answered)) ?? answered;
      const type = got.headers.get("content-type");
      return response.writeHead(told.status, type === null ? {} : { "content-type": type }).end(told.body);
    };
    pass().catch(() => response.destroy());
  });
  return { url: await listen(server, { host: "127.0.0.1", port: 0 }), close: () => closeServer(server) };
}

/** A JSON-RPC service that has only some methods of another one, which it asks. */
export async function onlyMethods(
  real: string,
  methods: RegExp,
): Promise<Between & { readonly asked: ReadonlySet<string> }> {
  const asked = new Set<string>();
  const service = await between(real, {
    instead: (_path, body) => {
      const { method } = JSON.parse(body.toString()) as { method: string };
      asked.add(method);
      if (methods.test(method)) return undefined;
      const error = { code: -32_601, message: `There is no method ${method} here.` };
      return { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id: 1, error }) };
    },
  });
  return { ...service, asked };
}

/** A JSON-RPC service that fails, or is slow, as long as it is told to. */
export async function failing(real: string): Promise<
  Between & {
    readonly fails: (how: "no" | "error" | "garbage") => void;
    /** Milliseconds before each answer. */
    readonly slows: (ms: number) => void;
  }
> {
  let now: Answer | undefined;
  let wait = 0;
  const service = await between(real, {
    instead: async () => {
      if (wait > 0) await delay(wait);
      return now;
    },
  });
  return {
    ...service,
    fails: (how) => {
      now = how === "no" ? undefined : how === "error" ? { status: 503, body: "" } : { status: 200, body: "<html>" };
    },
    slows: (ms) => {
      wait = ms;
    },
  };
}
