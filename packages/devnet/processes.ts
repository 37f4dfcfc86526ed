import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The repository: every process of the demo runs there. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Ends a process with the one that started it. */
const GUARD = fileURLToPath(new URL("die-with-parent.ts", import.meta.url));

/** A process of the demo. */
export interface Running {
  readonly name: string;
  readonly log: string;
  readonly child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

/** Starts processes, each with a log file of its own, and ends them all. */
export class Processes {
  readonly #logs: string;
  readonly #running = new Map<string, Running>();
  /** Those that were told to end. */
  readonly #ended = new Set<Running>();
  readonly #failures: string[] = [];

  constructor(logs: string) {
    this.#logs = logs;
    mkdirSync(logs, { recursive: true });
    // Whatever ends this process, none of its children stays behind.
    process.on("exit", () => {
      for (const { child } of this.#running.values()) child.kill("SIGKILL");
    });
  }

  /** Starts a Node process with these arguments. Its key and its paths are in its configuration, never in the arguments. */
  start(name: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
    return this.#start(name, process.execPath, ["--import", GUARD, ...args], environment, true);
  }

  /** Starts any program. */
  startProgram(
    name: string,
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Running {
    return this.#start(name, program, args, environment, false);
  }

  #start(
    name: string,
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    guarded: boolean,
  ): Running {
    const log = join(this.#logs, `${name}.log`);
    // It writes by itself: nothing passes through this process, and what it said last is there when it has ended.
    const file = openSync(log, "a");
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ["ignore", file, file, ...(guarded ? (["pipe"] as const) : [])],
      // Ctrl-C is for this process, which ends the others in their order.
      detached: guarded,
    });
    closeSync(file);
    const exit = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once("exit", (code, signal) => {
        this.#running.delete(name);
        if (code !== 0 && !this.#ended.has(running)) this.#failures.push(`${name} (${String(signal ?? code)}; ${log})`);
        resolve(signal ?? code ?? 1);
      });
    });
    const running: Running = { name, log, child, exit };
    this.#running.set(name, running);
    return running;
  }

  /**
   * Runs a Node process to its end.
   *
   * @throws Error with the end of its log if it fails.
   */
  async run(name: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#untilGood(this.start(name, args, environment));
  }

  /** Runs any program to its end; as {@link run}. */
  async runProgram(
    name: string,
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.#untilGood(this.startProgram(name, program, args, environment));
  }

  async #untilGood({ name, log, exit }: Running): Promise<void> {
    const code = await exit;
    if (code !== 0) throw new Error(`${name} failed (${String(code)}):\n${await tail(log)}`);
  }

  /** Rejects as soon as one of these ends before `until` is settled. */
  async watch<T>(names: readonly string[], until: Promise<T>): Promise<T> {
    const watched = [...this.#running.values()].filter(({ name }) => names.includes(name));
    const failures = watched.map(async ({ name, log, exit }) => {
      const code = await exit;
      throw new Error(`${name} ended too early (${String(code)}):\n${await tail(log)}`);
    });
    return Promise.race([until, ...failures]);
  }

  /** Asks these to end and waits; a process that has not ended after the grace is killed. */
  async stop(names: readonly string[], graceMs: number): Promise<void> {
    const stopping = [...this.#running.values()].filter(({ name }) => names.includes(name));
    for (const running of stopping) {
      const { child } = running;
      this.#ended.add(running);
      child.kill("SIGTERM");
      // One that was frozen hears it only when it goes on.
      child.kill("SIGCONT");
    }
    const timer = setTimeout(() => {
      for (const { child } of stopping) child.kill("SIGKILL");
    }, graceMs);
    await Promise.all(stopping.map(({ exit }) => exit));
    clearTimeout(timer);
  }

  /** Ends one at once, without a chance to tidy up. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) throw new Error(`${name} does not run`);
    this.#ended.add(running);
    running.child.kill("SIGKILL");
    await running.exit;
  }

  /** Those that failed without having been told to end, each with how it ended and its log. */
  failures(): readonly string[] {
    return this.#failures;
  }

  /** Stops one where it stands, as a machine that hangs does; with `false` it goes on. */
  freeze(name: string, frozen = true): void {
    const running = this.#running.get(name);
    if (!running) throw new Error(`${name} does not run`);
    running.child.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  /** The same for the processes that one has started, such as an agent's units. */
  async freezeChildren(name: string, frozen = true): Promise<void> {
    const pid = this.#running.get(name)?.child.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
    for (const line of stdout.trim().split("\n")) {
      const [child, parent] = line.trim().split(/\s+/).map(Number);
      if (child !== undefined && parent === pid) process.kill(child, frozen ? "SIGSTOP" : "SIGCONT");
    }
  }

  /** File that a process logs to. */
  logOf(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  /** Id of one that runs. */
  pidOf(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  /** Names of those that run. */
  names(): string[] {
    return [...this.#running.keys()];
  }
}

/** The last lines of a log file. */
export async function tail(file: string, lines = 12): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
