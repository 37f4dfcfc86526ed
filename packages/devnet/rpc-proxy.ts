import { createServer as createHttpServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands between client and node, so that the connection can be cut while the chain goes on. */
export class RpcProxy {
  readonly #target: URL;
  #server: Server | undefined;
  #port = 0;
  /** Methods whose answers are lost on the way back. */
  losesAnswersTo: string[] = [];
  readonly calls: string[] = [];

  constructor(target: string) {
    this.#target = new URL(target);
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  async plug(): Promise<void> {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const calls = [JSON.parse(body.toString()) as { method: string } | { method: string }[]].flat();
        this.calls.push(...calls.map(({ method }) => method));
        const upstream = httpRequest(this.#target, { method: "POST", headers: request.headers }, (answer) => {
          if (calls.some(({ method }) => this.losesAnswersTo.includes(method))) {
            answer.resume().on("end", () => request.socket.destroy());
            return;
          }
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        upstream.on("error", () => request.socket.destroy());
        upstream.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }
}
