import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** An answer in place of the real service's. */
interface Instead {
  readonly status: number;
  readonly body: string;
}

interface Between {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A JSON-RPC service between, which asks the real one unless it has an answer of its own. */
async function between(
  real: string,
  instead: (body: Buffer) => Instead | undefined | Promise<Instead | undefined>,
): Promise<Between> {
  const server = createServer((request, response) => {
    const pass = async () => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "content-type");
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = Buffer.concat(parts);
      const own = await instead(body);
      if (own) return response.writeHead(own.status).end(own.body);
      const got = await fetch(real, { method: "POST", headers: { "content-type": "application/json" }, body });
      return response.writeHead(got.status).end(Buffer.from(await got.arrayBuffer()));
    };
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A JSON-RPC service that has only some methods of another one, which it asks. */
export async function onlyMethods(
  real: string,
  methods: RegExp,
): Promise<Between & { readonly asked: ReadonlySet<string> }> {
  const asked = new Set<string>();
  const service = await between(real, (body) => {
    const { method } = JSON.parse(body.toString()) as { method: string };
    asked.add(method);
    if (methods.test(method)) return undefined;
    const error = { code: -32_601, message: `There is no method ${method} here.` };
    return { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id: 1, error }) };
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
  let now: Instead | undefined;
  let wait = 0;
  const service = await between(real, async () => {
    if (wait > 0) await delay(wait);
    return now;
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
