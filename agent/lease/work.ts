import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type PQueue from "p-queue";

import type { Task } from "@verai/client/entities";
import type { EndReason } from "@verai/client/enums";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { Logger } from "@verai/process/logger";
import { WorkloadError } from "@verai/executor/errors";
import type { Executor, RunningUnit, UnitFolder, UnitRun } from "@verai/executor/executor";
import { END_SECONDS, settles } from "@verai/executor/time-outs";
import { pauseBeforeAnother, shouldRestart } from "@verai/executor/restarts";
import { decoderOf } from "@verai/executor/sealed/tree";
import type { TaskSpec } from "@verai/executor/spec";
import type { LocalCheckpoints } from "@verai/executor/trace/local-checkpoints";
import type { Exchanges } from "../exchange/exchanges.ts";
import type { DiskSpace } from "../node/disk.ts";
import { adoptCheckpoint } from "./bundle.ts";
import type { Restorable } from "./lineage.ts";
import type { Located } from "./locate.ts";
import type { ChainLease } from "./lease-plan.ts";
import { KeyUnavailableError, type Sealing } from "./sealing.ts";
import { traceUnit } from "./tracing.ts";
import type { LeaseFolder } from "./workspace.ts";

/** Time for one try to restore a checkpoint before the one before it is tried, milliseconds. */
const RESTORE_TIMEOUT_MS = 120_000;
/** Longest wait for any block of it, milliseconds: what nobody has must not cost the lease. */
const RESTORE_STALL_MS = 6_000;
/** Pause before all are asked again, milliseconds, and rounds in which one that says that it has a checkpoint is believed. */
const RESTORE_PAUSE_MS = 5_000;
const RESTORE_ROUNDS = 3;

/** Pause before key hosts are asked again, milliseconds. */
const KEY_PAUSE_MS = 5_000;

/** Seconds for which the end of work is waited for after it was killed, or after its grace: more than a unit's own bound. */
const STOP_SECONDS = END_SECONDS + 5;

/** How often a unit is tried to be started that still runs from before, and milliseconds from one try to the next. */
const [MAX_STARTS, START_PAUSE_MS] = [12, 5000];

/** What the work on a lease is done with. */
export interface WorkContext {
  readonly store: CheckpointStore;
  /** Opens and seals what belongs to confidential tasks. */
  readonly sealing: Sealing;
  readonly executor: Executor;
  /** Shared by all leases: bounds the units that run at the same time. */
  readonly slots: PQueue;
  readonly logger: Logger;
  readonly specTimeoutMs: number;
  readonly graceSeconds: number;
  readonly disk: Pick<DiskSpace, "look">;
  /** Multiaddrs of the nodes that may hold a task's spec and inputs; left out: those that are connected are asked. */
  readonly holdersOf?: (task: Pick<Task, "id" | "spec">) => Promise<readonly string[]>;
  /** Lets units of one task exchange files; left out: specs that ask for it cannot be run. */
  readonly exchanges?: Pick<Exchanges, "join">;
  /** Asks those whom the chain names whether they have any of these checkpoints. */
  readonly locate: (restorable: readonly Restorable[]) => Promise<Located>;
}

/**
 * The work on one lease: restores what was done before, then runs every unit that is not done yet.
 *
 * It knows nothing of the chain; the agent tells it to stop, and looks at the folder for progress.
 */
export class LeaseWork {
  readonly lease: ChainLease;
  readonly folder: LeaseFolder;
  readonly #context: WorkContext;
  readonly #task: Task;
  readonly #restorable: readonly Restorable[];
  readonly #stop = new AbortController();
  readonly #running = new Set<RunningUnit>();
  #ended: Promise<void> | undefined;
  #active = false;
  #givenUp = false;
  #failure: string | undefined;
  #failureReason: EndReason = "specUnusable";
  /** Why the work before cannot be gone on from yet. */
  #lacking: string | undefined;
  #endedCpuSeconds = 0;

  /** @param restorable Checkpoints to resume from, best first. */
  constructor(
    lease: ChainLease,
    task: Task,
    folder: LeaseFolder,
    restorable: readonly Restorable[],
    context: WorkContext,
  ) {
    this.lease = lease;
    this.folder = folder;
    this.#task = task;
    this.#restorable = restorable;
    this.#context = context;
  }

  /** Whether units run or wait for a slot. */
  get running(): boolean {
    return this.#active && !this.#givenUp;
  }

  /** Whether it was told to stop, and could not be waited for: units may run still, and it must not begin again. */
  get ending(): boolean {
    return this.#active && this.#givenUp;
  }

  /** Why a unit that was started has not begun yet, or none can be started; undefined if none waits. */
  get waiting(): string | undefined {
    if (this.#lacking !== undefined) return this.#lacking;
    for (const unit of this.#running) {
      const why = unit.waiting?.();
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Why the work cannot be done here; undefined while it can. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** What {@link failure} is to the chain. */
  get failureReason(): EndReason {
    return this.#failureReason;
  }

  /** Units that run now. */
  get unitsRunning(): number {
    return this.#running.size;
  }

  /** CPU time that its units have used so far, seconds; may lag by a second or two. */
  get cpuSeconds(): number {
    return [...this.#running].reduce((sum, unit) => sum + unit.cpuSeconds(), this.#endedCpuSeconds);
  }

  /** Begins. The work goes on by itself; {@link failure} says if it could not. */
  start(): void {
    this.#active = true;
    this.#ended = this.#run()
      .catch(async (error: unknown) => {
        if (this.#stop.signal.aborted) return;
        const full = await this.#context.disk.look().catch(() => undefined);
        if (full === undefined) this.#failure = error instanceof Error ? error.message : String(error);
        // A full disk is not the lease's fault: the work goes on from its last checkpoint when there is room again.
        this.#context.logger.error(
          { lease: this.lease.id, err: error },
          full === undefined ? "lease cannot be worked on" : `lease waits for room: ${full}`,
        );
      })
      .finally(() => {
        this.#active = false;
      });
  }

  /** Says that the work cannot be done here: what its program leaves cannot be taken. */
  refuse(why: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = why;
    this.#failureReason = "programFailed";
  }

  /**
   * Ends the work: with `drain` the workloads get their grace to write a last checkpoint, else they are killed. Waits for
   * the end, but no longer than an engine that answers takes: what is left then is {@link ending}.
   */
  async stop(how: "drain" | "kill", graceSeconds = this.#context.graceSeconds): Promise<void> {
    this.#stop.abort();
    for (const unit of this.#running) void (how === "drain" ? unit.drain(graceSeconds) : unit.kill());
    if (!this.#ended) return;
    const seconds = (how === "drain" ? graceSeconds : 0) + STOP_SECONDS;
    if (await settles(this.#ended, seconds * 1000)) return;
    this.#givenUp = true;
    this.#context.logger.error(
      { lease: this.lease.id, seconds, units: [...this.#running].map(({ id }) => id) },
      "work was told to stop and has not ended: it is no longer waited for, and goes on being ended",
    );
  }

  async #run(): Promise<void> {
    const { start, count } = this.lease;
    const spec = await this.#spec();
    const refusal = this.#context.executor.refusal(spec);
    if (refusal !== undefined) throw new Error(refusal);
    this.#failureReason = "programFailed";
    await this.#restore();
    const units = Array.from({ length: count }, (_, i) => start + i);
    await Promise.all(
      units.map((index) =>
        this.#context.slots.add(async () => {
          if (!this.#stop.signal.aborted && this.#failure === undefined) await this.#runUnit(spec, index);
        }),
      ),
    );
  }

  /** The spec. Without its key nothing begins: the hosts are asked again until the lease is given back. */
  async #spec(): Promise<TaskSpec> {
    const { sealing, specTimeoutMs, logger } = this.#context;
    const source = { taskId: this.#task.id, lease: this.lease.id, from: await this.#from() };
    for (;;) {
      try {
        const spec = await sealing.spec(this.#task, this.lease, specTimeoutMs, this.#stop.signal, source);
        this.#lacking = undefined;
        return spec;
      } catch (error) {
        if (!(error instanceof KeyUnavailableError)) throw error;
        if (this.#lacking !== error.message)
          logger.warn({ lease: this.lease.id, err: error }, "the work waits for its key");
        this.#lacking = error.message;
        await sleep(KEY_PAUSE_MS, undefined, { signal: this.#stop.signal });
      }
    }
  }

  /**
   * Brings earlier holders' work here, once. Damaged checkpoints, and those that cannot be had, are passed over for the one
   * before. Work begins again from nothing only if nobody whom the chain names has any of them: as long as one was not reached, and is not gone
   * by the chain's word, he may have it, and is asked again until the lease is given back.
   */
  async #restore(): Promise<void> {
    const { lease, folder } = this;
    const { logger, locate } = this.#context;
    if (await folder.record()) return;
    const { taskId, start, count } = lease;
    const record = { leaseId: lease.id, fence: lease.fence, taskId, start, count };
    for (let round = 1; ; round++) {
      for (const each of this.#restorable) {
        if (!(await this.#restoreFrom(each))) continue;
        this.#lacking = undefined;
        await folder.remember({ ...record, restored: true, origin: fromChainCid(each.checkpoint).toString() });
        return;
      }
      if (this.#restorable.length === 0) break;
      const { having, unreached } = await locate(this.#restorable);
      // What somebody has and cannot be fetched again and again is damaged there.
      const awaited = [...unreached, ...(round < RESTORE_ROUNDS ? having : [])];
      if (awaited.length === 0) break;
      this.#lacking = `the work before is not to be had yet: nodes ${awaited.join(", ")} may have it`;
      logger.warn({ lease: lease.id, having, unreached }, "no checkpoint can be restored yet, asking again");
      await sleep(RESTORE_PAUSE_MS, undefined, { signal: this.#stop.signal });
    }
    this.#lacking = undefined;
    if (this.#restorable.length > 0) {
      logger.warn(
        { lease: lease.id },
        "nobody whom the chain names has a checkpoint of the work before: beginning from nothing",
      );
    }
    await folder.remember({ ...record, restored: false });
  }

  /** @returns Whether this checkpoint could be restored. */
  async #restoreFrom({ checkpoint, named }: Restorable): Promise<boolean> {
    const { lease, folder } = this;
    const { store, logger } = this.#context;
    const cid = fromChainCid(checkpoint).toString();
    await mkdir(dirname(folder.path), { recursive: true });
    const scratch = await mkdtemp(`${folder.path}.restore-`);
    try {
      const target = join(scratch, "checkpoint");
      const seal = await this.#context.sealing.seal(this.#task, lease, this.#stop.signal);
      await store.fetchTo(cid, target, {
        from: named.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")),
        maxBytes: checkpoint.size,
        timeout: RESTORE_TIMEOUT_MS,
        stallTimeout: RESTORE_STALL_MS,
        signal: this.#stop.signal,
        hint: lease.id,
        ...(seal && { decoder: decoderOf(seal) }),
      });
      const units = await adoptCheckpoint(folder, lease.start, lease.count, target);
      logger.info({ lease: lease.id, cid, units }, "restored from checkpoint");
      return true;
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      logger.warn({ lease: lease.id, cid, err: error }, "checkpoint cannot be restored, trying the one before");
      return false;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Runs a unit until it is done, fails for good, or the work is stopped. */
  async #runUnit(spec: TaskSpec, index: number): Promise<void> {
    const { folder, lease } = this;
    if (await folder.isDone(index)) return;
    const unit = await folder.unit(index);
    await this.#fetchInputs(spec, unit);
    const { id: leaseId, fence } = lease;
    const seal = await this.#context.sealing.seal(this.#task, lease, this.#stop.signal);
    const local = { unit: index, leaseId, fence, folder: unit };
    const leave = await this.#context.exchanges?.join(this.#task, spec, local, seal);
    const tracing = await this.#trace(spec, unit);
    try {
      await this.#runToEnd(spec, index, unit);
    } finally {
      await tracing?.stop();
      await leave?.();
    }
  }

  /** Keeps the digests of the unit's local checkpoints, if the spec asks for them. */
  async #trace(spec: TaskSpec, unit: UnitFolder): Promise<LocalCheckpoints | undefined> {
    if (spec.checkpoint.everySteps === undefined) return undefined;
    const seal = await this.#context.sealing.seal(this.#task, this.lease, this.#stop.signal);
    return traceUnit(unit, { seal, maxBytes: this.#context.store.maxBytes, log: this.#context.logger });
  }

  async #runToEnd(spec: TaskSpec, index: number, unit: UnitFolder): Promise<void> {
    const { folder, lease } = this;
    const { logger } = this.#context;
    for (let [restarts, idle] = [0, 0]; ;) {
      const running = await this.#begin(index, {
        leaseId: lease.id,
        leaseStart: lease.start,
        leaseUnits: lease.count,
        taskId: lease.taskId,
        developer: this.#task.owner,
        unitIndex: index,
        unitCount: this.#task.units,
        attempt: await folder.nextAttempt(index),
        spec,
        folder: unit,
      });
      this.#running.add(running);
      // Told to stop while it was being started.
      if (this.#stop.signal.aborted) void running.kill();
      const exit = await running.exited;
      this.#running.delete(running);
      this.#endedCpuSeconds += exit.cpuSeconds;
      if (exit.reason === "done") {
        await folder.markDone(index);
        logger.info({ lease: lease.id, unit: index, cpuSeconds: exit.cpuSeconds }, "unit done");
        return;
      }
      if (this.#stop.signal.aborted) return;
      const pause = pauseBeforeAnother(exit, idle);
      if (pause !== undefined) {
        idle += 1;
        logger.warn(
          { lease: lease.id, unit: index, exit, pause },
          "unit ended without fault of its own, starting it again",
        );
        await sleep(pause * 1000, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        if (this.#stop.signal.aborted) return;
        continue;
      }
      if (!shouldRestart(spec, exit, restarts)) {
        throw new Error(`unit ${String(index)} ${exit.reason}: ${exit.detail} Its log is ${unit.log}`);
      }
      logger.warn({ lease: lease.id, unit: index, restarts, exit }, "unit failed, starting it again");
      restarts += 1;
      idle = 0;
    }
  }

  /** Starts a unit; one that an engine has not ended yet from before is waited for. */
  async #begin(index: number, run: UnitRun): Promise<RunningUnit> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#context.executor.start(run);
      } catch (error) {
        const alive = error instanceof WorkloadError && ["ALREADY_RUNNING", "LEFTOVER_ALIVE"].includes(error.code);
        if (!alive || tries >= MAX_STARTS) throw error;
        this.#context.logger.warn(
          { lease: this.lease.id, unit: index, err: error },
          "unit runs still from before, waiting",
        );
        await sleep(START_PAUSE_MS, undefined, { signal: this.#stop.signal });
      }
    }
  }

  async #fetchInputs(spec: TaskSpec, unit: UnitFolder): Promise<void> {
    for (const [cid, path] of Object.entries(spec.inputs)) {
      const target = join(unit.input, path);
      // It appears whole or not at all. What is there stays: a unit that outlived the agent may be reading it.
      if (existsSync(target)) continue;
      await mkdir(dirname(target), { recursive: true });
      const { store } = this.#context;
      const [hint, from, signal] = [this.lease.id, await this.#from(), this.#stop.signal];
      const seal = await this.#context.sealing.seal(this.#task, this.lease, signal);
      const decoder = seal && decoderOf(seal);
      await store.fetchTo(cid, target, { signal, hint, from, maxBytes: store.maxBytes, ...(decoder && { decoder }) });
    }
  }

  /** Where the spec and inputs may be; empty where the chain cannot be asked now: those that are connected are asked. */
  async #from(): Promise<readonly string[]> {
    return (await this.#context.holdersOf?.(this.#task).catch(() => [])) ?? [];
  }
}
