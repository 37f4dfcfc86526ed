import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";

import type { Job, Measured, Served } from "./jobs.ts";

const SCRIPT = new URL("child.ts", import.meta.url).pathname;

/** A server in a process of its own. */
export interface ServerProcess extends Served {
  /** Maximum resident memory so far, MiB. */
  peak(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server. */
export async function serve(job: Job, signal: AbortSignal): Promise<ServerProcess> {
  const child = new Child(job, signal);
  const { addresses } = await child.next<Served>();
  return {
    addresses,
    peak: async () => {
      child.ask();
      return (await child.next<{ peak: number }>()).peak;
    },
    stop: () => child.end(),
  };
}

/** Runs a client to its end. */
export async function measure(job: Job, signal: AbortSignal): Promise<Measured> {
  const child = new Child(job, signal);
  try {
    return await child.next<Measured>();
  } finally {
    await child.end();
  }
}

class Child {
  readonly #process: ChildProcess;
  readonly #closed: Promise<void>;
  #waiting: PromiseWithResolvers<unknown> | undefined;
  #failure: Error | undefined;

  constructor(job: Job, signal: AbortSignal) {
    const stdio = ["ignore", "ignore", "pipe", "ipc"] as const;
    this.#process = fork(SCRIPT, [JSON.stringify(job)], { signal, killSignal: "SIGKILL", stdio: [...stdio] });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#closed = promise.then(() => undefined);
    const words: string[] = [];
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => words.push(text));
    this.#process.on("message", (message) => this.#waiting?.resolve(message));
    this.#process.on("error", (error) => {
      this.#fail(error);
    });
    this.#process.on("close", (code) => {
      this.#fail(new Error(`A measuring process ended (${code ?? "by a signal"}): ${words.join("").slice(-2000)}`));
      resolve(undefined);
    });
  }

  /** What it says next. */
  async next<T>(): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting = Promise.withResolvers<unknown>();
    return (await this.#waiting.promise) as T;
  }

  /** Asks it for its memory. */
  ask(): void {
    this.#process.send("peak");
  }

  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#closed;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
  }
}
