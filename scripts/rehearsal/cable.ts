import { createServer, type Server, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands between the network's processes and the chain's node, so that the endpoint can fail while the chain goes on. */
export class Cable {
  readonly #target: URL;
  #server: Server | undefined;
  #port = 0;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Where clients connect to; the same after each cut. */
  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  /** Lets requests through. */
  async plug(): Promise<void> {
    const server = createServer((request, response) => {
      const upstream = httpRequest(this.#target, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.once("error", () => response.destroy());
      request.pipe(upstream);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Breaks every connection and takes no new one. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }
}
