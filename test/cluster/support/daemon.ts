import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Seconds that a program gets to end by itself. */
const STOP_SECONDS = 10;
/** Of a log, in bytes, where something went wrong. */
const SHOWN = 3000;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** A program of the cluster, which runs until it is stopped, with its output in a file. */
export class Daemon {
  readonly name: string;
  readonly log: string;
  readonly #child: ChildProcess;

  private constructor(name: string, log: string, child: ChildProcess) {
    this.name = name;
    this.log = log;
    this.#child = child;
  }

  /** @param directory Where its log goes. */
  static start(name: string, program: string, args: readonly string[], directory: string): Daemon {
    mkdirSync(directory, { recursive: true });
    const log = join(directory, `${name}.log`);
    const file = openSync(log, "a");
    const child = spawn(program, args, { stdio: ["ignore", file, file] });
    closeSync(file);
    child.on("error", () => undefined);
    running.add(child);
    child.once("close", () => running.delete(child));
    return new Daemon(name, log, child);
  }

  /** Waits until it answers. @throws with the end of its log, if it has ended or takes too long. */
  async ready(answers: () => Promise<boolean>, seconds = 300): Promise<void> {
    let why: unknown;
    const asked = async () =>
      answers().catch((error: unknown) => {
        why = error;
        return false;
      });
    for (const end = performance.now() + seconds * 1000; ; await sleep(100)) {
      if (await asked()) return;
      if (this.#child.exitCode === null && this.#child.signalCode === null && performance.now() < end) continue;
      throw new Error(`${this.name} does not become ready:\n${this.words()}`, { cause: why });
    }
  }

  /** The end of its log. */
  words(): string {
    return readFileSync(this.log, "utf8").slice(-SHOWN);
  }

  /** Ends at once; what it has started goes on. */
  async kill(): Promise<void> {
    if (!running.has(this.#child)) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }

  async stop(): Promise<void> {
    if (!running.has(this.#child)) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    await Promise.race([closed, sleep(STOP_SECONDS * 1000, undefined, { ref: false })]);
    await this.kill();
  }
}

/** A port of the loopback interface that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
