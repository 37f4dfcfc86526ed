import type { V1Pod } from "@kubernetes/client-node";

import { LogCopy } from "../container/log-copy.ts";
import { overDisk } from "../container/disk.ts";
import type { RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { type Cause, judgeExit } from "../exit.ts";
import { writtenDirectories } from "../inside.ts";
import { type BoundedLog, logTail } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { openGate, START_SECONDS } from "./job.ts";
import { type PodState, stateOf } from "./pods.ts";

const [DRAINED, SIGKILLED] = [143, 137];
/** Grace of a pod that is killed, seconds: with none, the cluster would not wait until it has really ended. */
const KILL_GRACE = 1;
/** A unit's disk space is looked at every so many looks. */
const DISK_LOOKS = 10;

/** How long what may never come is waited for, seconds. */
export interface PodTimeOuts {
  /** For a container whose machine has trouble with it. */
  readonly troubledSeconds: number;
  /** For a pod to start, all in all. */
  readonly startSeconds: number;
  /** For a pod that the Job is to make. */
  readonly podSeconds: number;
  /** For a Job to be admitted by its queue. */
  readonly queuedSeconds: number;
  /** For a pod that is to be gone already, or that nothing is heard of. */
  readonly lostSeconds: number;
  /** For a log that is silent, before it is read again; by default as long as {@link LogCopy} waits. */
  readonly silentSeconds?: number;
}

const POD_TIME_OUTS: PodTimeOuts = {
  troubledSeconds: 300,
  startSeconds: START_SECONDS,
  podSeconds: 300,
  queuedSeconds: START_SECONDS,
  lostSeconds: 60,
};

/** Whether a Job exists, and whether it may make pods. */
export type JobState = "gone" | "there" | "suspended";

type Calls = Pick<Cluster, "patchPod" | "deletePod" | "openLog">;

/** What else there is to know of a unit. */
export interface PodOptions {
  /** It ran before this agent began. */
  readonly takenOver?: boolean;
  /** From when on the pod's log is not in ours yet, milliseconds since 1970. */
  readonly logSince?: number;
  /** Bound on its checkpoints and outputs. */
  readonly diskMiB?: number | undefined;
  readonly timeOuts?: PodTimeOuts | undefined;
}

/** What a pod's end means for its unit. */
interface End {
  readonly code: number;
  readonly cause?: Cause | undefined;
  readonly why?: string;
}

/** A unit that a pod of a Job runs; the pod may be replaced by another one. */
export class RunningPod implements RunningUnit {
  readonly id: string;
  readonly exited: Promise<UnitExit>;
  readonly job: string;
  readonly index: number;
  readonly #unit: UnitRun;
  readonly #cluster: Calls;
  readonly #log: BoundedLog;
  readonly #options: PodOptions;
  readonly #end: (exit: UnitExit) => void;
  #ended = false;
  #detached = false;
  #stop: { readonly cause: Cause | undefined; readonly graceSeconds: number; readonly by: number } | undefined;
  /** The pod that was last seen, and whose log is being copied. */
  #pod: string | undefined;
  #copy: LogCopy | undefined;
  #copying: Promise<void> = Promise.resolve();
  #follows: string | undefined;
  #deleted: string | undefined;
  #waiting: string | undefined;
  /** Kind of state that the pod is in, and since when; `performance.now()`. */
  #state: { readonly kind: string; readonly since: number } | undefined;
  /** When the program began, as far as is known. */
  #began: number | undefined;
  #overDisk: string | undefined;
  #cpuSeconds = 0;
  #looked = performance.now();
  #looks = 0;

  constructor(
    unit: UnitRun,
    at: { readonly job: string; readonly index: number },
    cluster: Calls,
    log: BoundedLog,
    options: PodOptions = {},
  ) {
    this.job = at.job;
    this.index = at.index;
    this.id = `pod ${at.index} of job ${at.job}`;
    this.#unit = unit;
    this.#cluster = cluster;
    this.#log = log;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<UnitExit>();
    this.exited = promise;
    this.#end = resolve;
  }

  async drain(graceSeconds: number): Promise<UnitExit> {
    // The pod was given its spec's grace when it was made; a longer one is not to be had, a shorter one is.
    this.#stopFor(undefined, graceSeconds);
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

  waiting(): string | undefined {
    return this.#waiting;
  }

  /** Gives up looking after it, though it goes on: its agent leaves. */
  detach(): void {
    this.#detached = true;
    this.#copy?.stop();
  }

  /**
   * Compares what is with what should be, and takes a step. Safe to be called ever again.
   *
   * @param pod Of its index, the youngest; undefined if there is none.
   * @param job Whether the Job exists, and may make pods.
   * @param cpus In use by the pod now, if known.
   */
  async look(pod: V1Pod | undefined, job: JobState, cpus: number | undefined): Promise<void> {
    if (this.#ended) return;
    const now = performance.now();
    this.#cpuSeconds += ((cpus ?? 0) * (now - this.#looked)) / 1000;
    this.#looked = now;
    const name = pod?.metadata?.name;
    if (!pod || name === undefined) return this.#withoutPod(job);
    if (this.#pod !== undefined && this.#pod !== name) {
      await this.#log.append(`--- goes on in pod ${name}\n`);
      this.#began = undefined;
    }
    this.#pod = name;
    const state = stateOf(pod);
    const seconds = this.#secondsIn(`${state.kind} ${name}`);
    this.#waiting =
      state.kind === "pending" ? `it waits for its machine: ${state.why || "no reason is given"}` : undefined;
    if (await this.#seen(name, state, seconds, pod)) return;
    await this.#limit(state);
    if (this.#stop && this.#deleted !== name) {
      const { terminationGracePeriodSeconds: longest = 30 } = pod.spec ?? {};
      await this.#cluster.deletePod(name, Math.max(KILL_GRACE, Math.min(Math.ceil(this.#stop.graceSeconds), longest)));
      this.#deleted = name;
    }
  }

  /** What follows from a pod's state alone. @returns whether that was all there was to do. */
  async #seen(name: string, state: PodState, seconds: number, pod: V1Pod): Promise<boolean> {
    const { troubledSeconds, startSeconds, podSeconds, lostSeconds } = this.#timeOuts;
    switch (state.kind) {
      case "ended": {
        this.#follow(name);
        // Told to stop by somebody else: its program did as it was told, or was not fast enough.
        const elsewhere = !this.#stop && pod.metadata?.deletionTimestamp !== undefined && state.cause === undefined;
        const deleted: End = { code: state.code, cause: "evicted", why: "its pod was deleted by somebody else" };
        await this.#finish(elsewhere && state.code !== 0 ? deleted : state);
        return true;
      }
      case "taken":
        this.#follow(name);
        if (this.#stop) await this.#finish({ code: SIGKILLED });
        else if (seconds > podSeconds) await this.#finish({ code: SIGKILLED, cause: "evicted", why: state.why });
        return true;
      case "leaving": {
        if (pod.spec?.nodeName === undefined) return this.#unassigned(seconds, state.why);
        this.#follow(name);
        const grace = pod.metadata?.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
        if (seconds > grace + lostSeconds) await this.#finish({ code: SIGKILLED, cause: "lost", why: state.why });
        // A shorter grace than the one before can still be had.
        return this.#stop?.cause !== "kill" || this.#deleted === name;
      }
      case "gated":
        // One that was to be stopped never starts.
        if (this.#stop) await this.#finish({ code: DRAINED });
        else await this.#cluster.patchPod(name, openGate(this.#unit.unitIndex, this.#unit.attempt));
        return true;
      case "running":
        this.#follow(name);
        this.#began ??= performance.now() - this.#ranBefore(state.at);
        return false;
      case "pending": {
        const waits = { none: 0, short: troubledSeconds, long: startSeconds }[state.wait];
        if (seconds < waits || this.#stop) return false;
        await this.#cluster.deletePod(name, KILL_GRACE);
        const cause = state.wait === "none" ? "unstartable" : "unstarted";
        await this.#finish({ code: SIGKILLED, cause, why: state.why });
        return true;
      }
    }
  }

  /** A pod that was deleted before any machine had it: nothing of it runs, though a cluster lists it for a while longer. */
  async #unassigned(seconds: number, why: string): Promise<true> {
    if (this.#stop) await this.#finish({ code: DRAINED });
    else if (seconds > this.#timeOuts.lostSeconds) await this.#finish({ code: SIGKILLED, cause: "unstarted", why });
    return true;
  }

  async #withoutPod(job: JobState): Promise<void> {
    const seconds = this.#secondsIn(job === "suspended" ? "suspended" : "no pod");
    if (this.#stop) return this.#finish({ code: performance.now() <= this.#stop.by ? DRAINED : SIGKILLED });
    if (job === "gone") {
      return this.#finish({ code: SIGKILLED, cause: "evicted", why: "its Job was removed by somebody else" });
    }
    const { podSeconds, queuedSeconds } = this.#timeOuts;
    this.#waiting =
      job === "suspended"
        ? "its Job is suspended: it waits for its queue's quota"
        : "its Job has made no pod yet: a quota or an admission policy may keep it from that";
    if (seconds < (job === "suspended" ? queuedSeconds : podSeconds)) return;
    await this.#finish({ code: SIGKILLED, cause: "unstarted", why: this.#waiting });
  }

  /** Limits that the agent keeps itself: time, from when the program began, and disk. */
  async #limit(state: PodState): Promise<void> {
    if (state.kind !== "running" || this.#stop) return;
    const { unitSeconds, graceSeconds } = this.#unit.spec.timeouts;
    if (this.#began !== undefined && performance.now() - this.#began > unitSeconds * 1000) {
      this.#stopFor("timeout", graceSeconds);
      return;
    }
    const { diskMiB } = this.#options;
    if (diskMiB === undefined || this.#looks++ % DISK_LOOKS !== 0) return;
    this.#overDisk = await overDisk(writtenDirectories(this.#unit.folder, this.#unit.spec), diskMiB);
    if (this.#overDisk !== undefined) this.#stopFor("disk", KILL_GRACE);
  }

  #stopFor(cause: Cause | undefined, graceSeconds: number): void {
    if (this.#ended || this.#stop) return;
    this.#stop = { cause, graceSeconds, by: performance.now() + graceSeconds * 1000 };
  }

  get #timeOuts(): PodTimeOuts {
    return this.#options.timeOuts ?? POD_TIME_OUTS;
  }

  /** Seconds for which the pod has been in a state, as far as the agent has seen. */
  #secondsIn(kind: string): number {
    if (this.#state?.kind !== kind) this.#state = { kind, since: performance.now() };
    return (performance.now() - this.#state.since) / 1000;
  }

  /** Milliseconds for which a pod ran before it was taken over, as far as the clocks tell; never more than its time. */
  #ranBefore(at: number | undefined): number {
    if (at === undefined || this.#options.takenOver !== true) return 0;
    return Math.min(Math.max(0, Date.now() - at), this.#unit.spec.timeouts.unitSeconds * 1000);
  }

  #follow(name: string): void {
    if (this.#follows === name) return;
    // Of a pod that is taken over, what was written before the agent's end is here.
    const since = this.#follows === undefined ? (this.#options.logSince ?? 0) : 0;
    this.#follows = name;
    const earlier = this.#copy;
    this.#copying = (async () => {
      await earlier?.finish();
      if (this.#detached) return;
      const { silentSeconds } = this.#timeOuts;
      const idleMs = silentSeconds === undefined ? undefined : silentSeconds * 1000;
      this.#copy = new LogCopy(this.#cluster.openLog(name), this.#log, since, idleMs);
    })().catch(() => undefined);
  }

  async #finish(end: End): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = undefined;
    await this.#copying;
    // Of a machine that does not answer nothing more is to be had.
    if (end.cause === "lost") this.#copy?.stop();
    else await this.#copy?.finish();
    const told = this.#stop?.cause;
    const judged = await judgeExit(this.#unit, {
      code: end.code,
      // What may run still was not ended by anybody.
      cause: end.cause === "lost" ? "lost" : (told ?? end.cause),
      graceOver: this.#stop !== undefined && end.code === SIGKILLED,
      cpuSeconds: this.#cpuSeconds,
      why: told === "disk" ? this.#overDisk : end.why,
    });
    await this.#log.append(`--- ${judged.reason}: ${judged.detail}; ${judged.cpuSeconds.toFixed(2)} s of CPU\n`);
    await this.#log.close();
    this.#end(judged);
  }
}
