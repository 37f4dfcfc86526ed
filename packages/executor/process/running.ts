import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";

import { isSystemError, WorkloadError } from "../errors.ts";
import type { RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { type Cause, judgeExit } from "../exit.ts";
import { type BoundedLog, logTail } from "../log.ts";
import { sampleProcess } from "./procfs.ts";
import { removeRecord, writeRecord } from "./record.ts";

/** Milliseconds between two looks at a unit's CPU time and memory. */
const SAMPLE_INTERVAL = 1000;
/** Milliseconds that pipes may stay open after the process has ended. */
const PIPES_GRACE = 2000;

/** Exit code, or the signal that ended the process. */
type ProcessExit = [code: number | null, signal: NodeJS.Signals | null];

/** A unit's process, its own group's leader, from spawn to the end of everything in its group. */
class RunningProcess implements RunningUnit {
  readonly id: string;
  readonly exited: Promise<UnitExit>;
  readonly #unit: UnitRun;
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #log: BoundedLog;
  readonly #timers = new Set<NodeJS.Timeout>();
  #ended = false;
  #cause: Cause | undefined;
  #graceOver = false;
  #draining = false;
  #cpuSeconds = 0;

  constructor(unit: UnitRun, log: BoundedLog, child: ChildProcess, pid: number, exit: Promise<ProcessExit>) {
    this.id = `process ${pid}`;
    this.#unit = unit;
    this.#child = child;
    this.#pid = pid;
    this.#log = log;
    this.#timers.add(setInterval(() => this.#sample(), SAMPLE_INTERVAL));
    this.#after(unit.spec.timeouts.unitSeconds, () => {
      this.#cause ??= "timeout";
      this.#stop(unit.spec.timeouts.graceSeconds);
    });
    this.exited = this.#watch(exit);
  }

  async drain(graceSeconds: number): Promise<UnitExit> {
    this.#stop(graceSeconds);
    return this.exited;
  }

  async kill(): Promise<UnitExit> {
    if (!this.#ended) {
      this.#cause = "kill";
      this.#signalGroup("SIGKILL");
    }
    return this.exited;
  }

  cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  logTail(maxBytes: number): Promise<string> {
    return logTail(this.#unit.folder.log, maxBytes);
  }

  #stop(graceSeconds: number): void {
    if (this.#ended || this.#draining) return;
    this.#draining = true;
    this.#signalGroup("SIGTERM");
    this.#after(graceSeconds, () => {
      this.#graceOver = true;
      this.#signalGroup("SIGKILL");
    });
  }

  #after(seconds: number, action: () => void): void {
    this.#timers.add(setTimeout(action, seconds * 1000));
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#pid, signal);
    } catch (error) {
      if (!isSystemError(error, "ESRCH")) throw error;
    }
  }

  #sample(): void {
    const sample = this.#ended ? undefined : sampleProcess(this.#pid);
    if (!sample) return;
    this.#cpuSeconds = sample.cpuSeconds;
    if (sample.privateMiB <= this.#unit.spec.resources.memoryMiB) return;
    this.#cause ??= "memory";
    this.#signalGroup("SIGKILL");
  }

  async #watch(exited: Promise<ProcessExit>): Promise<UnitExit> {
    const { stdout, stderr, stdio } = this.#child as ChildProcess & { stdout: Readable; stderr: Readable };
    const usage = stdio[3] as Readable;
    const pipes = Promise.all([this.#copy(stdout), this.#copy(stderr), this.#readUsage(usage)]);
    const [code, signal] = await exited;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    // Nothing that the unit may have left in its group outlives it; with it go the pipes' other ends.
    this.#signalGroup("SIGKILL");
    const giveUp = setTimeout(() => [stdout, stderr, usage].forEach((pipe) => pipe.destroy()), PIPES_GRACE);
    await pipes;
    clearTimeout(giveUp);
    const exit = await this.#judge(code, signal);
    const lost = this.#log.lost > 0 ? `; ${this.#log.lost} bytes of its log could not be written` : "";
    await this.#log.append(`--- ${exit.reason}: ${exit.detail}; ${exit.cpuSeconds.toFixed(2)} s of CPU${lost}\n`);
    await this.#log.close();
    // A record that stays behind is harmless: the process it names is gone.
    await removeRecord(this.#unit.folder.root).catch(() => undefined);
    return exit;
  }

  async #copy(stream: Readable): Promise<void> {
    try {
      // Waiting for each chunk holds a program back that writes faster than the disk.
      for await (const chunk of stream) await this.#log.append(chunk as Buffer);
    } catch {
      // destroyed after the end: what came before is written
    }
  }

  async #readUsage(stream: Readable): Promise<void> {
    let text = "";
    try {
      for await (const chunk of stream) if (text.length < 1000) text += String(chunk);
      const { user, system } = JSON.parse(text) as { user: unknown; system: unknown };
      const seconds = (Number(user) + Number(system)) / 1e6;
      // A program that lies about its time gains nothing by saying less than was seen.
      if (Number.isFinite(seconds)) this.#cpuSeconds = Math.max(this.#cpuSeconds, seconds);
    } catch {
      // killed: the last sample has to do
    }
  }

  async #judge(exitCode: number | null, signal: NodeJS.Signals | null): Promise<UnitExit> {
    return judgeExit(this.#unit, {
      code: exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]),
      ...(signal === null ? {} : { signal }),
      cause: this.#cause,
      graceOver: this.#graceOver,
      cpuSeconds: this.#cpuSeconds,
    });
  }
}

/**
 * Starts a unit's process, and notes it before its trainer begins.
 *
 * @param log Written to, and closed at the end.
 * @throws {@link WorkloadError} `START_FAILED`
 */
export async function launch(
  unit: UnitRun,
  log: BoundedLog,
  {
    command,
    args,
    env,
  }: { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
): Promise<RunningUnit> {
  let child: ChildProcess | undefined;
  try {
    // stdin is the lifeline, descriptor 3 reports the CPU time: see host.ts.
    child = spawn(command, args, {
      cwd: unit.folder.root,
      env,
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    // Listened for from the start: the process may end at any moment from here on.
    const exit = new Promise<ProcessExit>((resolve) => child?.once("exit", (...how) => resolve(how)));
    await once(child, "spawn");
    child.on("error", () => undefined);
    const { pid } = child;
    if (pid === undefined) throw new Error("it has no process id");
    // The machine's owner comes first.
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
    await writeRecord(unit.folder.root, pid);
    const running = new RunningProcess(unit, log, child, pid, exit);
    const lifeline = child.stdin as Writable;
    // A process that ends before it reads is told of by its exit.
    lifeline.on("error", () => undefined);
    lifeline.write("\n");
    return running;
  } catch (cause) {
    child?.kill("SIGKILL");
    await log.close();
    throw new WorkloadError(
      "START_FAILED",
      `Unit ${unit.unitIndex} of task ${unit.taskId} could not be started: ${String(cause)}. ` +
        `Check that the machine has memory, processes and disk space left.`,
      { cause },
    );
  }
}
