import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { PowerError } from "./meter.ts";

/** Time that a program gets to end once it was killed, before it counts as held by the driver, milliseconds. */
const END_MS = 500;
/** Bytes of a tool's answer that are read; a real one has a few hundred. */
const MAX_BYTES = 256 * 1024;

/** What a program printed, and how it ended. */
export interface ToolAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/**
 * Runs a program, with bounds on its time and its output. A program that a driver holds cannot be ended at all: it is left
 * alone then, and no second one is started beside it.
 */
export class Tool {
  readonly path: string;
  readonly #timeoutMs: number;
  /** One that was told to end, and has not ended yet. */
  #left: Promise<void> | undefined;

  constructor(path: string, timeoutMs: number) {
    this.path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws PowerError if the program cannot be started, takes too long or prints too much. */
  async run(args: readonly string[]): Promise<ToolAnswer> {
    if (this.#left) await Promise.race([this.#left, delay(END_MS, undefined, { ref: false })]);
    if (this.#left) {
      throw new PowerError(
        `${this.path} was told to end and has not ended yet: the driver hangs. Restart the machine.`,
      );
    }
    // A group of its own, so that what it starts ends with it. In English, with decimal points.
    const child = spawn(this.path, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    const out: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
    const { promise, resolve, reject } = Promise.withResolvers<ToolAnswer>();
    let bytes = 0;
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("error", () => undefined);
      child[name].on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_BYTES) out[name].push(chunk);
        else reject(new PowerError(`${this.path} printed more than ${MAX_BYTES / 1024} KiB.`));
      });
    }
    child.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOENT" ? "does not exist" : `cannot be run (${cause.code ?? cause.message})`;
      const remedy = 'install it with NVIDIA\'s driver, or name it in "power.nvidiaSmi"';
      reject(new PowerError(`${this.path} ${why}: ${remedy}.`, { cause }));
    });
    const text = (name: "stdout" | "stderr") => Buffer.concat(out[name]).toString("utf8");
    child.once("close", (code) => {
      resolve({ stdout: text("stdout"), stderr: text("stderr"), code });
    });
    const timer = setTimeout(() => {
      reject(
        new PowerError(
          `${this.path} did not answer within ${this.#timeoutMs / 1000} s: check the driver, and restart the machine if it hangs.`,
        ),
      );
    }, this.#timeoutMs);
    try {
      return await promise;
    } catch (error) {
      this.#end(child);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #end(child: ChildProcess): void {
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref();
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#left = new Promise((resolve) => {
      child.once("exit", () => {
        this.#left = undefined;
        resolve();
      });
    });
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
      child.kill("SIGKILL");
    }
  }
}
