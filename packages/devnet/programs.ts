import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { Doors } from "./doors.ts";
import { addressesOf, type openMarket } from "./market.ts";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A program of ours that runs, and what it has printed so far. */
export interface Program {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

/** Runs the real programs against the market of a test, with configuration files in a temporary directory. */
export class Bench {
  /** Temporary, outside the repository. */
  readonly folder: string;
  readonly network: { readonly rpcUrl: string; readonly chainId: number; readonly deployment: string };
  readonly #programs = new Set<ChildProcess>();
  readonly #doors = new Doors();
  #closed = false;

  private constructor(folder: string, network: Bench["network"]) {
    this.folder = folder;
    this.network = network;
  }

  static async open(market: Awaited<ReturnType<typeof openMarket>>): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), "drmp-bench-"));
    const deployment = join(folder, "deployed_addresses.json");
    await writeFile(deployment, JSON.stringify(await addressesOf(market)));
    return new Bench(folder, { rpcUrl: market.url, chainId: LOCAL_CHAIN_ID, deployment });
  }

  /** Kills what still runs and removes the directory. Nothing can be started afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const child of this.#programs) child.kill("SIGKILL");
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  /** Writes a file into the directory. @returns its path. */
  async write(name: string, content: object | string, mode = 0o600): Promise<string> {
    const file = join(this.folder, name);
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
    return file;
  }

  /** An agent's configuration. */
  agent(changes: object = {}, node: object = {}) {
    return {
      network: this.network,
      operator: { testAccount: 6 },
      owner: { testAccount: 10 },
      dataDir: join(this.folder, "agent"),
      node: {
        class: "cpu/eu",
        capacity: 2,
        ask: "0.001",
        powerThreshold: 100,
        powerMax: 400,
        energySource: "wind" as const,
        ...node,
      },
      store: { listen: ["/ip4/127.0.0.1/tcp/0"], replicas: 0 },
      // A slice that no test fills: agents beside one another must not find one another overloaded.
      telemetry: { cpus: 64, sampleEvery: 1 },
      interval: 0.3,
      grace: 5,
      minFree: 1,
      service: { port: 0 },
      ...changes,
    };
  }

  start(args: readonly string[]): Program {
    // Somebody else's work may go on after it: who starts a program then would leave it behind.
    if (this.#closed) throw new Error("the bench is closed: nothing is started from now on");
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    this.#programs.add(child);
    let said = "";
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const exit = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once("close", (code, signal) => {
        this.#programs.delete(child);
        resolve(signal ?? code ?? 1);
      });
    });
    return { child, said: () => said, exit };
  }

  /** Runs a command such as `task:status` to its end, by one {@link Doors | door or the other}. */
  async command(id: string, ...options: string[]): Promise<{ code: number | NodeJS.Signals; said: string }> {
    return this.run(this.#doors.of(id), id, ...options);
  }

  /** Runs a program to its end. */
  async run(...args: string[]): Promise<{ code: number | NodeJS.Signals; said: string }> {
    const program = this.start(args);
    return { code: await program.exit, said: program.said() };
  }
}

/** Waits until something can be seen; `show` is printed when it cannot. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  show: () => string = () => "",
  seconds = 300,
): Promise<T> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await delay(50)) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
  }
  throw new Error(`not within ${String(seconds)} s: ${what}\n${show().slice(-6000)}`);
}

/** Runs a program to its end, with these environment variables beside this process's own. */
export async function runProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number | NodeJS.Signals; said: string }> {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const code = await new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (exit, signal) => resolve(signal ?? exit ?? 1));
  });
  return { code, said };
}
