import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A way to a server of this machine that others have, and that breaks as real ones do. */
export class Proxy {
  readonly #server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  /** @param port Of the server, on loopback. */
  constructor(port: number) {
    this.#server = createServer((inner) => {
      const outer = connect(port, "127.0.0.1");
      const pair = [inner, outer] as const;
      this.#pairs.add(pair);
      inner.pipe(outer).pipe(inner);
      for (const socket of pair) {
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#pairs.delete(pair);
          for (const each of pair) each.destroy();
        });
      }
    });
  }

  /** @param host Where it listens; by default on loopback. @returns its port. */
  async start(host = "127.0.0.1"): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const [inner] of this.#pairs) inner.destroy();
  }

  /** From now on nothing comes through those connections that there are, though they stand. */
  silence(): void {
    for (const [inner, outer] of this.#pairs) {
      inner.unpipe(outer).pause();
      outer.unpipe(inner).pause();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
