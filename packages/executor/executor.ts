import type { UnitIdentity, WorkloadDirectories } from "./environment.ts";
import type { TaskSpec } from "./spec.ts";

/** Absolute paths of a unit's directories and files, as the agent sees them. */
export interface UnitFolder extends WorkloadDirectories {
  /** Made only where the spec has an `exchange`. */
  readonly exchange: string;
  /** Holds what the agent and the executor note for themselves; the workload has no access to it. */
  readonly root: string;
  /** The workload's output on stdout and stderr; bounded. */
  readonly log: string;
}

/** One unit to be run. */
export interface UnitRun extends UnitIdentity {
  /** Units of one lease belong together: an executor may start them as one job of its engine. */
  readonly leaseId: number;
  /** The lease's units: leaseStart … leaseStart + leaseUnits − 1. */
  readonly leaseStart: number;
  readonly leaseUnits: number;
  /** Address that submitted the task, for what a node keeps for some developers; left out: nobody's. */
  readonly developer?: string;
  readonly spec: TaskSpec;
  readonly folder: UnitFolder;
}

/**
 * Why a unit has ended:
 *
 * - `done`: exit code 0, and every output that the spec promises is there
 * - `drained`: exit code 143: it was told to stop, and wrote a last checkpoint if it had something to keep
 * - `failed`: any other end that the executor did not bring about, a missing output or too much memory included
 * - `timeout`: it ran longer than the spec's `timeouts.unitSeconds`
 * - `killed`: by {@link RunningUnit.kill}, or because it outlived the grace of {@link RunningUnit.drain}
 * - `unstarted`: nothing of it ever ran, and not for its program's or its spec's sake: it may well run elsewhere, or later
 * - `evicted`: its engine took its place away, for what it did not do itself; it goes on from its last checkpoint
 * - `lost`: its engine or its machine does not answer, and it may run still
 */
export type UnitExitReason = "done" | "drained" | "failed" | "timeout" | "killed" | "unstarted" | "evicted" | "lost";

/** How a unit has ended. */
export interface UnitExit {
  readonly reason: UnitExitReason;
  /** Exit code; 128 + its number after a signal, as in shells and containers. */
  readonly code: number;
  /** The signal that ended it, if one did and the engine knows. */
  readonly signal?: NodeJS.Signals;
  /** CPU time used, seconds. */
  readonly cpuSeconds: number;
  /** For people: what happened and, where something can be done about it, what. */
  readonly detail: string;
}

/** A unit that an executor has started. */
export interface RunningUnit {
  /** What its engine calls it, such as `process 4711`. */
  readonly id: string;
  /** Never rejects. When it resolves, nothing of the unit runs, unless it is `lost`, and its log is complete. */
  readonly exited: Promise<UnitExit>;
  /**
   * SIGTERM now, SIGKILL after the grace. The first call counts; safe after the end. Resolves in bounded time after the
   * grace: with `lost` if the engine does not answer.
   */
  drain(graceSeconds: number): Promise<UnitExit>;
  /** SIGKILL now; safe after the end. Resolves in bounded time: with `lost` if the engine does not answer. */
  kill(): Promise<UnitExit>;
  /** CPU time used so far, seconds; may lag by a second or two. */
  cpuSeconds(): number;
  /** The end of its log, at most so many bytes. */
  logTail(maxBytes: number): Promise<string>;
  /** Why its program has not begun yet, such as an image that is being pulled; undefined once it has. */
  waiting?(): string | undefined;
}

/** Runs units: as child processes, in containers, in a cluster. */
export interface Executor {
  /** For logs, such as "process". */
  readonly name: string;
  /** Why it does not run such a spec, with the remedy; undefined if it does. */
  refusal(spec: TaskSpec): string | undefined;
  /**
   * Starts a unit. What an earlier life of the agent left running of the same unit is ended first, or taken over: the
   * same unit never runs twice. Half-written checkpoints are removed; complete ones are what it goes on from. Outputs of
   * an attempt before it are removed: what did not end well left none.
   *
   * @throws `WorkloadError`: `REFUSED`, `ALREADY_RUNNING`, `LEFTOVER_ALIVE`, `IMAGE_UNAVAILABLE`, `START_FAILED`.
   */
  start(unit: UnitRun): Promise<RunningUnit>;
  /**
   * Units of its node that the engine has room for now, those that run included; undefined if it is for the node's owner
   * to say. What a cluster can take changes with what else runs there.
   */
  capacity?(): Promise<number | undefined>;
  /**
   * Tries what it will need, and changes nothing that lasts.
   *
   * @returns Lines about what works less well than it might, such as CPU time that cannot be read.
   * @throws `WorkloadError` `ENGINE_UNAVAILABLE` with everything that keeps units from running, and the remedies.
   */
  probe?(): Promise<string[]>;
  /** Stops looking after what it does in the background. Running units are left alone: drain or kill them first. */
  close(): Promise<void>;
}
