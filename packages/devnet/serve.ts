import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { EthereumProvider } from "hardhat/types/providers";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown[];
}

/** Serves an in-process chain over HTTP on the loopback interface, so that clients reach it as they reach any node. */
export async function serve(provider: EthereumProvider): Promise<{ url: string; close: () => Promise<void> }> {
  const ask = async ({ id, method, params }: Call) => {
    try {
      return { jsonrpc: "2.0", id, result: (await provider.request({ method, params: params ?? [] })) as unknown };
    } catch (error) {
      const {
        code = -32603,
        message = String(error),
        data,
      } = error as { code?: number; message?: string; data?: unknown };
      return { jsonrpc: "2.0", id, error: { code, message, data } };
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Call | Call[];
      void (Array.isArray(body) ? Promise.all(body.map(ask)) : ask(body)).then((answer) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(answer));
      });
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
