import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What an indexer answers, as a test changes it. */
export type Twist = (path: string, body: Record<string, unknown>) => Record<string, unknown> | undefined;

/** An indexer between: asks the real one, and passes on what a test makes of its answer. */
export async function twistedIndexer(
  real: string,
  twist: Twist,
  delayMs = 0,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = async () => {
      const path = request.url ?? "/";
      response.setHeader("access-control-allow-origin", "*");
      if (path.startsWith("/v1/live")) {
        response.writeHead(503).end();
        return;
      }
      const got = await fetch(`${real}${path}`);
      const body = (await got.json()) as Record<string, unknown>;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const twisted = twist(path, body);
      response
        .writeHead(twisted === undefined ? got.status : 200, { "content-type": "application/json" })
        .end(JSON.stringify(twisted ?? body));
    };
    answer().catch(() => {
      response.destroy();
    });
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
