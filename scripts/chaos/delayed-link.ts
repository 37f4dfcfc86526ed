import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Bytes that wait on their way in one direction; more make the sender wait. */
const MOST_WAITING = 1 << 20;

/** A TCP port that leads to another one of this machine, with a delay: half of it in each direction. */
export class DelayedLink {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Milliseconds added to each round trip. */
  delayMs = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (incoming) => {
      this.#join(incoming);
    });
  }

  /** @param target Port that is led to; nothing has to listen there yet. */
  static async open(target: number): Promise<DelayedLink> {
    const link = new DelayedLink(target);
    await new Promise<void>((resolve, reject) => {
      link.#server.once("error", reject);
      link.#server.listen(0, "127.0.0.1", resolve);
    });
    link.#server.unref();
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(incoming: Socket): void {
    const outgoing = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("close", (failed) => {
        this.#sockets.delete(from);
        // After an end, what is on its way still arrives.
        if (failed) to.destroy();
      });
      this.#carry(from, to);
    }
  }

  /** What comes later never overtakes what came before, also when the delay gets shorter. */
  #carry(from: Socket, to: Socket): void {
    let [waiting, free] = [0, 0];
    const later = (bytes: number, act: () => void) => {
      const now = performance.now();
      free = Math.max(free, now + this.delayMs / 2);
      waiting += bytes;
      if (waiting > MOST_WAITING) from.pause();
      setTimeout(() => {
        waiting -= bytes;
        if (waiting <= MOST_WAITING) from.resume();
        if (!to.destroyed) act();
      }, free - now);
    };
    from.on("data", (chunk: Buffer) => {
      later(chunk.length, () => to.write(chunk));
    });
    from.on("end", () => {
      later(0, () => to.end());
    });
  }
}
