import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A JSON-RPC service that has only some methods of another one, which it asks. */
export async function onlyMethods(
  real: string,
  methods: RegExp,
): Promise<{ url: string; asked: ReadonlySet<string>; close: () => Promise<void> }> {
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    const pass = async () => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "content-type");
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = Buffer.concat(parts);
      const { method } = JSON.parse(body.toString()) as { method: string };
      asked.add(method);
      if (!methods.test(method)) {
        const error = { code: -32_601, message: `There is no method ${method} here.` };
        return response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, error }));
      }
      const got = await fetch(real, { method: "POST", headers: { "content-type": "application/json" }, body });
      return response.writeHead(got.status).end(Buffer.from(await got.arrayBuffer()));
    };
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
