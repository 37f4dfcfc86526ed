import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Address of a module of the project, for a script in another process. */
export function moduleUrl(path: string): string {
  return new URL(`../../../${path}`, import.meta.url).href;
}

/** Path of a program of the project. */
export function programPath(path: string): string {
  return fileURLToPath(moduleUrl(path));
}

/** Another process, and what it says. */
export class Child {
  readonly process: ChildProcess;
  /** Standard output and standard error together. */
  said = "";
  readonly ended: Promise<number | null>;

  constructor(process: ChildProcess) {
    this.process = process;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    }
    this.ended = new Promise((resolve, reject) => {
      process.on("error", reject);
      process.on("close", (code) => {
        resolve(code);
      });
    });
    this.ended.catch(() => undefined);
  }

  /** Waits until it has said something. */
  async says(pattern: RegExp): Promise<string> {
    const ended = this.ended.then((code) => ({ code }));
    while (!pattern.test(this.said)) {
      const found = await Promise.race([ended, delay(10, undefined)]);
      if (found && !pattern.test(this.said)) throw new Error(`ended (${String(found.code)}) and said: ${this.said}`);
    }
    return this.said;
  }
}

/** How a child is started. */
export interface ChildOptions {
  readonly signal: AbortSignal;
  /** User to run as, where this process may choose. */
  readonly uid?: number;
  /** Shell line before the program, in a mount namespace of its own: mounts, say. `$1` is the first argument. */
  readonly shell?: string;
  /** More namespaces, as options of unshare. */
  readonly namespaces?: readonly string[];
}

/** Runs a script of the project's modules in another process. It ends with the signal. */
export function runScript(script: string, args: readonly string[], options: ChildOptions): Child {
  const node = [process.execPath, "--input-type=module", "-e", script, "--", ...args];
  return run(node, args, options);
}

/** Runs a program of the project. */
export function runProgram(path: string, args: readonly string[], options: ChildOptions): Child {
  return run([process.execPath, programPath(path), ...args], args, options);
}

function run(command: readonly string[], args: readonly string[], options: ChildOptions): Child {
  const { signal, uid, shell, namespaces } = options;
  let [file = "", ...rest] = command;
  if (shell !== undefined || namespaces) {
    const line = `${shell ?? ":"} && shift ${String(args.length)} && exec "$@"`;
    const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
    [file, rest] = [
      "unshare",
      [...user, "--mount", ...(namespaces ?? []), "sh", "-c", line, "sh", ...args, ...command],
    ];
  }
  const child = spawn(file, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
    ...(uid !== undefined && { uid, gid: uid }),
  });
  return new Child(child);
}
