import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** What went through a proxy. */
export interface Traffic {
  /** JSON-RPC calls; one request may carry several. */
  readonly calls: number;
  readonly requests: number;
  /** Bytes of bodies, both ways. */
  readonly bytes: number;
  readonly methods: Readonly<Record<string, number>>;
}

/** Stands between a program and the chain, and counts. */
export interface CountingProxy {
  readonly url: string;
  /** What went through since the last time this was asked. */
  readonly take: () => Traffic;
  readonly close: () => Promise<void>;
}

/** Opens one on the loopback interface. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const to = new URL(target);
  let [calls, requests, bytes] = [0, 0, 0];
  let methods: Record<string, number> = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      requests += 1;
      bytes += body.length;
      for (const { method } of [JSON.parse(body.toString()) as { method: string } | { method: string }[]].flat()) {
        calls += 1;
        methods[method] = (methods[method] ?? 0) + 1;
      }
      const headers = { "content-type": "application/json", "content-length": String(body.length) };
      const upstream = httpRequest(to, { method: "POST", headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, { "content-type": "application/json" });
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        answer.pipe(response);
      });
      upstream.on("error", () => request.socket.destroy());
      upstream.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    take: () => {
      const traffic = { calls, requests, bytes, methods };
      [calls, requests, bytes, methods] = [0, 0, 0, {}];
      return traffic;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
