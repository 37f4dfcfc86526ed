import { mkdir } from "node:fs/promises";

import { removeUnfinished } from "../checkpoints.ts";
import { WorkloadError } from "../errors.ts";
import { clearOutputs } from "../outputs.ts";
import type { TaskSpec } from "../spec.ts";
import { messageOf } from "./container/engine.ts";
import { withoutTag } from "./container/images.ts";
import type { Executor, RunningUnit, UnitRun } from "./executor.ts";
import { unitsThatFit } from "./kubernetes/capacity.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { type ClusterSettings, jobFor, jobName, type JobRange } from "./kubernetes/job.ts";
import { podOfIndex, stateOf } from "./kubernetes/pods.ts";
import { RunningPod } from "./kubernetes/running.ts";
import { BoundedLog } from "./log.ts";

/** How units are run in a cluster. */
export interface KubernetesExecutorOptions {
  readonly cluster: Cluster;
  readonly settings: ClusterSettings;
  /** Image that holds the built-in trainers. */
  readonly trainerImage?: string | undefined;
  readonly trainers: readonly string[];
  /** Whether tasks may have the network: needs a NetworkPolicy that lets them (deploy/kubernetes has one). */
  readonly allowOutbound: boolean;
  /** GPUs that a unit may want at most. */
  readonly gpusPerUnit: number;
  /** What a unit of this node's class needs: what the capacity is counted in. */
  readonly unitSize: { readonly cpus: number; readonly memoryMiB: number; readonly gpus: number };
  /** Milliseconds between two looks at the cluster. */
  readonly pollMs?: number | undefined;
  /** Seconds after the start within which a Job of the agent's earlier life has to be wanted again. */
  readonly adoptSeconds?: number | undefined;
  readonly logBytes?: number | undefined;
}

const POLL_MS = 1000;
/** The same while nothing runs. */
const IDLE_POLL_MS = 30_000;
const ADOPT_SECONDS = 300;
const LOG_BYTES = 1024 * 1024;
/** Looks at the cluster between two at what its pods use. */
const USAGE_LOOKS = 15;

/**
 * Runs units in a Kubernetes cluster, so that one agent fronts all of it as one node: a lease is an Indexed Job, its
 * completion index i the unit start + i (see `kubernetes/job.ts`).
 *
 * It looks at the cluster ever again, and compares with what should be; what it did not see happen it finds done. Units go
 * on while the agent is away, and are found again by their Job's name.
 */
export class KubernetesExecutor implements Executor {
  readonly name = "kubernetes";
  readonly #options: KubernetesExecutorOptions;
  readonly #running = new Map<string, RunningPod>();
  readonly #starting = new Set<string>();
  /** Jobs that this executor has had units in: once none runs any more, they are deleted. */
  readonly #known = new Set<string>();
  readonly #since = performance.now();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #looks = 0;
  #cpus = new Map<string, number>();

  constructor(options: KubernetesExecutorOptions) {
    this.#options = options;
    this.#schedule();
  }

  refusal(spec: TaskSpec): string | undefined {
    const { trainers, trainerImage, allowOutbound, gpusPerUnit } = this.#options;
    if (spec.trainer !== undefined && !trainers.includes(spec.trainer)) {
      return `This node has no trainer "${spec.trainer}": update its agent, or name one of ${trainers.join(", ")}.`;
    }
    if (spec.trainer !== undefined && trainerImage === undefined) {
      return "This node has no image for built-in trainers: have its owner set executor.trainerImage, or name an image.";
    }
    if (spec.network === "outbound" && !allowOutbound) {
      return 'The task wants the network, which this node does not give: set network to "none", and name inputs by CID.';
    }
    if (spec.resources.gpus > gpusPerUnit) {
      return `The task wants ${spec.resources.gpus} GPUs for a unit, but this node gives ${gpusPerUnit}: lower resources.gpus.`;
    }
    return undefined;
  }

  async start(unit: UnitRun): Promise<RunningUnit> {
    const refusal = this.refusal(unit.spec);
    if (refusal !== undefined) throw new WorkloadError("REFUSED", refusal);
    const { root } = unit.folder;
    if (this.#running.has(root) || this.#starting.has(root)) {
      throw new WorkloadError("ALREADY_RUNNING", `The unit in ${root} is already running: wait for its end.`);
    }
    this.#starting.add(root);
    try {
      return await this.#start(unit);
    } catch (error) {
      if (error instanceof WorkloadError) throw error;
      throw new WorkloadError(
        "START_FAILED",
        `Unit ${unit.unitIndex} of task ${unit.taskId} could not be started in the cluster: ${messageOf(error)}`,
        { cause: error },
      );
    } finally {
      this.#starting.delete(root);
    }
  }

  async capacity(): Promise<number> {
    const { cluster, settings, unitSize } = this.#options;
    const { nodes, pods } = await cluster.whatRuns();
    const own = [...this.#running.values()];
    const held = own.filter(({ job, index }) => {
      const pod = podOfIndex(pods, job, index);
      return pod?.spec?.nodeName !== undefined && ["running", "pending"].includes(stateOf(pod).kind);
    });
    const room = { ...unitSize, pods: 1 };
    return held.length + unitsThatFit(nodes, pods, room, settings.nodeSelector, settings.gpuResource);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #start(unit: UnitRun): Promise<RunningUnit> {
    const { cluster, settings } = this.#options;
    const { folder } = unit;
    for (const path of [folder.root, folder.checkpoint, folder.input, folder.output]) {
      await mkdir(path, { recursive: true });
    }
    const { name, range, taken } = await this.#place(unit);
    if (!taken) {
      await removeUnfinished(folder.checkpoint);
      await clearOutputs(folder.output);
      await cluster.createJob(jobFor(unit, range, this.#image(unit.spec), name, settings));
    }
    const log = await BoundedLog.open(folder.log, this.#options.logBytes ?? LOG_BYTES);
    const how = taken ? ", taken over" : "";
    await log.append(`--- unit ${unit.unitIndex} of task ${unit.taskId}, attempt ${unit.attempt}, job ${name}${how}\n`);
    const running = new RunningPod(unit, { job: name, index: unit.unitIndex - range.first }, cluster, log);
    this.#running.set(folder.root, running);
    this.#known.add(name);
    void running.exited.then(() => this.#running.delete(folder.root));
    this.#schedule();
    return running;
  }

  /**
   * Where a unit runs: in its lease's Job, if its index there is still to be used, or goes on, or is done; else in a Job of
   * its own, the first whose name is free.
   */
  async #place(unit: UnitRun): Promise<{ name: string; range: JobRange; taken: boolean }> {
    const { cluster, settings } = this.#options;
    const lease = { first: unit.leaseStart, count: unit.leaseUnits };
    const alone = { first: unit.unitIndex, count: 1 };
    for (let again = 0; ; again++) {
      const range = again === 0 ? lease : alone;
      const name = jobName(unit, range, settings, again);
      const job = await cluster.job(name);
      if (!job) return { name, range, taken: false };
      const index = unit.unitIndex - range.first;
      if (indices(job.status?.failedIndexes).has(index) || job.metadata?.deletionTimestamp !== undefined) continue;
      const pod = podOfIndex(await cluster.pods(settings.owner), name, index);
      const state = pod ? stateOf(pod) : undefined;
      if (state?.kind === "ended" && state.code !== 0) continue;
      // A pod that has not begun yet is as good as a new one: the unit's directories are made ready for it.
      const fresh = state === undefined || state.kind === "gated";
      if (indices(job.status?.completedIndexes).has(index) && !pod) continue;
      return { name, range, taken: !fresh };
    }
  }

  #image(spec: TaskSpec): string {
    return withoutTag(spec.trainer === undefined ? (spec.image ?? "") : (this.#options.trainerImage ?? ""));
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const poll = this.#options.pollMs ?? POLL_MS;
    const pause = this.#running.size > 0 || this.#known.size > 0 ? poll : Math.max(poll, IDLE_POLL_MS);
    this.#timer = setTimeout(() => {
      // A failed look says nothing about the units; the next one comes.
      this.#looking ??= this.#look()
        .catch(() => undefined)
        .finally(() => {
          this.#looking = undefined;
          this.#schedule();
        });
    }, pause);
    if (this.#running.size === 0) this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { cluster, settings } = this.#options;
    const [pods, jobs] = [await cluster.pods(settings.owner), await cluster.jobs(settings.owner)];
    const names = new Set(jobs.map(({ metadata }) => metadata?.name));
    if (this.#looks++ % USAGE_LOOKS === 0) {
      this.#cpus = await cluster.cpusInUse(settings.owner).catch(() => new Map<string, number>());
    }
    await Promise.all(
      [...this.#running.values()].map(async (running) => {
        const pod = podOfIndex(pods, running.job, running.index);
        await running
          .look(pod, names.has(running.job), this.#cpus.get(pod?.metadata?.name ?? ""))
          .catch(() => undefined);
      }),
    );
    await this.#sweep([...names].filter((name) => name !== undefined));
  }

  /** Deletes Jobs of which no unit runs any more, and those of an earlier life that nobody has asked for. */
  async #sweep(jobs: readonly string[]): Promise<void> {
    if (this.#starting.size > 0) return;
    const wanted = new Set([...this.#running.values()].map(({ job }) => job));
    const late = performance.now() - this.#since > (this.#options.adoptSeconds ?? ADOPT_SECONDS) * 1000;
    for (const job of jobs) {
      if (wanted.has(job) || !(late || this.#known.has(job))) continue;
      await this.#options.cluster.deleteJob(job);
    }
    for (const job of this.#known) if (!wanted.has(job) && !jobs.includes(job)) this.#known.delete(job);
  }
}

/** Indices as Jobs note them: "1,3-5". O(indices). */
export function indices(text: string | undefined): Set<number> {
  const found = new Set<number>();
  for (const part of (text ?? "").split(",").filter((each) => each !== "")) {
    const [first = NaN, last = first] = part.split("-").map(Number);
    for (let index = first; index <= last; index++) found.add(index);
  }
  return found;
}
