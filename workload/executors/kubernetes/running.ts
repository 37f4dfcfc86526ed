import type { V1Pod } from "@kubernetes/client-node";

import type { RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { type Cause, judgeExit, type RawExit } from "../exit.ts";
import { type BoundedLog, logTail } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { openGate } from "./job.ts";
import { isHopeless, stateOf } from "./pods.ts";

const [DRAINED, SIGKILLED] = [143, 137];
/** Milliseconds that the rest of the log gets after the end. */
const LOG_GRACE = 5000;
/** Grace of a pod that is killed, seconds: with none, the cluster would not wait until it has really ended. */
const KILL_GRACE = 1;

/** A unit that a pod of a Job runs; the pod may be replaced by another one. */
export class RunningPod implements RunningUnit {
  readonly id: string;
  readonly exited: Promise<UnitExit>;
  readonly job: string;
  readonly index: number;
  readonly #unit: UnitRun;
  readonly #cluster: Pick<Cluster, "patchPod" | "deletePod" | "followLog">;
  readonly #log: BoundedLog;
  readonly #end: (exit: UnitExit) => void;
  #ended = false;
  #stop: { readonly cause: Cause | undefined; readonly graceSeconds: number; readonly by: number } | undefined;
  /** The pod that was last seen, and whether its log is being copied. */
  #pod: string | undefined;
  #copying: Promise<void> = Promise.resolve();
  #follows: string | undefined;
  #deleted: string | undefined;
  #cpuSeconds = 0;
  #looked = performance.now();

  constructor(
    unit: UnitRun,
    at: { readonly job: string; readonly index: number },
    cluster: Pick<Cluster, "patchPod" | "deletePod" | "followLog">,
    log: BoundedLog,
  ) {
    this.job = at.job;
    this.index = at.index;
    this.id = `pod ${at.index} of job ${at.job}`;
    this.#unit = unit;
    this.#cluster = cluster;
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<UnitExit>();
    this.exited = promise;
    this.#end = resolve;
  }

  async drain(graceSeconds: number): Promise<UnitExit> {
    // The pod was given its spec's grace when it was made; a longer one is not to be had, a shorter one is.
    if (!this.#ended && !this.#stop) {
      this.#stop = { cause: undefined, graceSeconds, by: performance.now() + graceSeconds * 1000 };
    }
    return this.exited;
  }

  async kill(): Promise<UnitExit> {
    if (!this.#ended && this.#stop?.cause !== "kill") {
      this.#stop = { cause: "kill", graceSeconds: KILL_GRACE, by: performance.now() };
      this.#deleted = undefined;
    }
    return this.exited;
  }

  cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  logTail(maxBytes: number): Promise<string> {
    return logTail(this.#unit.folder.log, maxBytes);
  }

  /**
   * Compares what is with what should be, and takes a step. Safe to be called ever again.
   *
   * @param pod Of its index, the youngest; undefined if there is none.
   * @param jobThere Whether the Job exists.
   * @param cpus In use by the pod now, if known.
   */
  async look(pod: V1Pod | undefined, jobThere: boolean, cpus: number | undefined): Promise<void> {
    if (this.#ended) return;
    const now = performance.now();
    this.#cpuSeconds += ((cpus ?? 0) * (now - this.#looked)) / 1000;
    this.#looked = now;
    const name = pod?.metadata?.name;
    if (!pod || name === undefined) {
      if (this.#stop) return this.#finish({ code: now <= this.#stop.by ? DRAINED : SIGKILLED });
      if (!jobThere) return this.#finish({ code: SIGKILLED }, "its Job was removed by somebody else");
      return; // the Job makes one
    }
    if (this.#pod !== undefined && this.#pod !== name) await this.#log.append(`--- goes on in pod ${name}\n`);
    this.#pod = name;
    const state = stateOf(pod);
    switch (state.kind) {
      case "ended":
        this.#follow(name);
        return this.#finish({
          code: state.code,
          cause: state.memory ? "memory" : state.timeout ? "timeout" : undefined,
        });
      case "lost":
        return this.#stop ? this.#finish({ code: SIGKILLED }) : undefined;
      case "gated":
        // One that was to be stopped never starts.
        if (this.#stop) return this.#finish({ code: DRAINED });
        return this.#cluster.patchPod(name, openGate(this.#unit.unitIndex, this.#unit.attempt));
      case "running":
        this.#follow(name);
        break;
      case "pending":
        if (isHopeless(pod)) {
          await this.#cluster.deletePod(name, KILL_GRACE);
          return this.#finish({ code: SIGKILLED }, `it cannot be started: ${state.why}`);
        }
    }
    if (this.#stop && this.#deleted !== name) {
      const { terminationGracePeriodSeconds: most = 30 } = pod.spec ?? {};
      await this.#cluster.deletePod(name, Math.max(KILL_GRACE, Math.min(Math.ceil(this.#stop.graceSeconds), most)));
      this.#deleted = name;
    }
  }

  #follow(name: string): void {
    if (this.#follows === name) return;
    this.#follows = name;
    // What is gone is gone: a log that cannot be had is no reason to fail.
    this.#copying = this.#cluster.followLog(name, (part) => this.#log.append(part)).catch(() => undefined);
  }

  async #finish(raw: Pick<RawExit, "code" | "cause">, why?: string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, LOG_GRACE);
    await Promise.race([this.#copying, timer.promise]);
    clearTimeout(timeout);
    const judged = await judgeExit(this.#unit, {
      code: raw.code,
      cause: this.#stop?.cause ?? raw.cause,
      graceOver: this.#stop !== undefined && raw.code === SIGKILLED,
      cpuSeconds: this.#cpuSeconds,
    });
    const exit = why !== undefined && judged.reason === "failed" ? { ...judged, detail: why } : judged;
    await this.#log.append(`--- ${exit.reason}: ${exit.detail}; ${exit.cpuSeconds.toFixed(2)} s of CPU\n`);
    await this.#log.close();
    this.#end(exit);
  }
}
