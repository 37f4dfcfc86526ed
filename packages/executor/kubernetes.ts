import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { removeUnfinished } from "./checkpoints.ts";
import { WorkloadError } from "./errors.ts";
import { clearOutputs } from "./outputs.ts";
import type { TaskSpec } from "./spec.ts";
import { messageOf } from "./container/engine.ts";
import { scratchRefusal } from "./container/fit.ts";
import { withoutTag } from "./container/images.ts";
import type { Executor, RunningUnit, UnitRun } from "./executor.ts";
import { unitsThatFit } from "./kubernetes/capacity.ts";
import { type Cluster, codeOf, type Permission } from "./kubernetes/cluster.ts";
import { type ClusterSettings, jobFor, jobName, type JobRange } from "./kubernetes/job.ts";
import { podOfIndex, stateOf } from "./kubernetes/pods.ts";
import { type PodTimeOuts, RunningPod } from "./kubernetes/running.ts";
import { makeDirectories, writeAccounts } from "./inside.ts";
import { BoundedLog } from "./log.ts";
import { boundedUnit } from "./time-outs.ts";

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
  /** MiB of disk for a unit's checkpoints and outputs. */
  readonly diskMiB?: number | undefined;
  /** Largest /tmp that a unit may ask for, MiB. */
  readonly scratchMiB?: number | undefined;
  /** Told once what works less well than it might, such as a call that the agent's role does not allow. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** How long what may never come is waited for. */
  readonly timeOuts?: PodTimeOuts | undefined;
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
  /** Jobs that this executor has had units in: once none runs, they are deleted. */
  readonly #known = new Set<string>();
  /** Jobs that it is deleting: no unit is to be found a place in one. */
  readonly #deleting = new Set<string>();
  readonly #since = performance.now();
  readonly #notices: Notices;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #looks = 0;
  #cpus = new Map<string, number>();

  constructor(options: KubernetesExecutorOptions) {
    this.#options = options;
    this.#notices = new Notices(options.onNotice);
    this.#schedule();
  }

  refusal(spec: TaskSpec): string | undefined {
    const { trainers, trainerImage, allowOutbound, gpusPerUnit, scratchMiB } = this.#options;
    if (spec.trainer !== undefined && !trainers.includes(spec.trainer)) {
      return `This node has no trainer "${spec.trainer}": update its agent, or name one of ${trainers.join(", ")}.`;
    }
    if (spec.trainer !== undefined && trainerImage === undefined) {
      return "This node has no image for built-in trainers: have its owner set executor.trainerImage, or name an image.";
    }
    if (spec.registry !== undefined) {
      return "The task has credentials for its image's registry, which a node in a cluster cannot use: choose classes of nodes with containers, or an image that anybody may pull.";
    }
    if (spec.network === "outbound" && !allowOutbound) {
      return 'The task wants the network, which this node does not give: set network to "none", and name inputs by CID.';
    }
    if (spec.resources.gpus > gpusPerUnit) {
      return `The task wants ${spec.resources.gpus} GPUs for a unit, but this node gives ${gpusPerUnit}: lower resources.gpus.`;
    }
    return scratchRefusal(spec, scratchMiB);
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
      return pod?.spec?.nodeName !== undefined && ["running", "pending", "leaving"].includes(stateOf(pod).kind);
    });
    const room = { ...unitSize, pods: 1 };
    return held.length + unitsThatFit(nodes, pods, room, settings.nodeSelector, settings.gpuResource);
  }

  async probe(): Promise<string[]> {
    const { cluster, settings } = this.#options;
    const problems = [await workDirectoryProblem(settings)];
    const notices: string[] = [];
    try {
      for (const permission of NEEDED) {
        if (!(await cluster.may(permission))) problems.push(`its role does not let it ${wordsFor(permission)}`);
      }
      for (const permission of USEFUL) {
        if (!(await cluster.may(permission)))
          notices.push(noMetrics(`its role does not let it ${wordsFor(permission)}`));
      }
    } catch (error) {
      if (codeOf(error) === undefined) problems.push(`its API server cannot be asked: ${messageOf(error)}`);
      else notices.push(`What the agent's role allows cannot be asked (${messageOf(error)}).`);
    }
    const found = problems.filter((problem) => problem !== undefined);
    if (found.length > 0) {
      throw new WorkloadError(
        "ENGINE_UNAVAILABLE",
        `Units cannot run in the cluster's namespace ${settings.namespace}:\n${found.map((each) => `- ${each}`).join("\n")}\n` +
          `Apply deploy/kubernetes/base/agents/access.yaml for the role, and see docs/guides/kubernetes.md for the volume.`,
      );
    }
    if (notices.length === 0) {
      await cluster.cpusInUse(settings.owner).catch((error: unknown) => notices.push(noMetrics(messageOf(error))));
    }
    return notices;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const running of this.#running.values()) running.detach();
    await this.#looking;
  }

  async #start(unit: UnitRun): Promise<RunningUnit> {
    const { cluster, settings } = this.#options;
    const { folder } = unit;
    await makeDirectories(folder, unit.spec);
    const { name, range, taken } = await this.#place(unit);
    if (!taken) {
      await removeUnfinished(folder.checkpoint);
      await clearOutputs(folder.output);
      await writeAccounts(folder, settings.uid, settings.gid);
      await cluster.createJob(jobFor(unit, range, this.#image(unit.spec), name, settings));
    }
    // Lines of the last moments before the agent's end may come twice; none are lost.
    const logSince = taken
      ? await stat(folder.log).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        )
      : 0;
    const log = await BoundedLog.open(folder.log, this.#options.logBytes ?? LOG_BYTES);
    const how = taken ? ", taken over" : "";
    await log.append(`--- unit ${unit.unitIndex} of task ${unit.taskId}, attempt ${unit.attempt}, job ${name}${how}\n`);
    const at = { job: name, index: unit.unitIndex - range.first };
    const { diskMiB, timeOuts } = this.#options;
    const running = new RunningPod(unit, at, cluster, log, { takenOver: taken, logSince, diskMiB, timeOuts });
    this.#running.set(folder.root, running);
    this.#known.add(name);
    void running.exited.then(() => this.#running.delete(folder.root));
    this.#schedule();
    return boundedUnit(running);
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
      // Asked before the Job is: an answer from before its deletion may come after it. None begins while a unit is started.
      if (this.#deleting.has(name)) continue;
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
        .then(() => this.#notices.clear("look"))
        .catch((error: unknown) => this.#notices.say("look", `The cluster cannot be looked at: ${messageOf(error)}`))
        .finally(() => {
          this.#looking = undefined;
          this.#schedule();
        });
    }, pause);
    if (this.#running.size === 0) this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { cluster, settings } = this.#options;
    // Those that are there before anything is listed: a Job that is created meanwhile is not among what was listed.
    const units = [...this.#running.values()];
    const [pods, jobs] = [await cluster.pods(settings.owner), await cluster.jobs(settings.owner)];
    const names = new Map(
      jobs.map((job) => [job.metadata?.name, job.spec?.suspend === true ? "suspended" : "there"] as const),
    );
    if (this.#looks++ % USAGE_LOOKS === 0) {
      this.#cpus = await this.#cpusInUse();
    }
    await Promise.all(
      units.map(async (running) => {
        const pod = podOfIndex(pods, running.job, running.index);
        await running
          .look(pod, names.get(running.job) ?? "gone", this.#cpus.get(pod?.metadata?.name ?? ""))
          .then(() => this.#notices.clear(running.id))
          .catch((error: unknown) => this.#notices.say(running.id, `${running.id}: ${messageOf(error)}`));
      }),
    );
    await this.#sweep([...names.keys()].filter((name) => name !== undefined));
  }

  async #cpusInUse(): Promise<Map<string, number>> {
    const { cluster, settings } = this.#options;
    try {
      const cpus = await cluster.cpusInUse(settings.owner);
      this.#notices.clear("metrics");
      return cpus;
    } catch (error) {
      const forbidden = codeOf(error) === 403;
      const why = forbidden ? `its role does not let it ${wordsFor(USEFUL[0])}` : messageOf(error);
      this.#notices.say("metrics", noMetrics(why));
      return new Map();
    }
  }

  /** Deletes Jobs of which no unit runs, and those of an earlier life that nobody has asked for. */
  async #sweep(jobs: readonly string[]): Promise<void> {
    if (this.#starting.size > 0) return;
    const late = performance.now() - this.#since > (this.#options.adoptSeconds ?? ADOPT_SECONDS) * 1000;
    for (const job of jobs) {
      // While another one was deleted, a unit may have found its place in this one, or be about to.
      if (this.#starting.size > 0) return;
      if (this.#isWanted(job) || !(late || this.#known.has(job))) continue;
      this.#deleting.add(job);
      // One that cannot be deleted now keeps no other from that.
      await this.#options.cluster
        .deleteJob(job)
        .catch((error: unknown) => this.#notices.say(job, `The Job ${job} cannot be deleted: ${messageOf(error)}`))
        .finally(() => this.#deleting.delete(job));
    }
    for (const job of this.#known) if (!this.#isWanted(job) && !jobs.includes(job)) this.#known.delete(job);
  }

  /** Whether a unit runs in a Job now. O(units). */
  #isWanted(job: string): boolean {
    return [...this.#running.values()].some((running) => running.job === job);
  }
}

/** What the executor cannot do without, as deploy/kubernetes/base/agents/access.yaml grants it. */
const NEEDED: readonly Permission[] = [
  ...["get", "list", "create", "delete"].map((verb) => ({ group: "batch", resource: "jobs", verb })),
  ...["list", "patch", "delete"].map((verb) => ({ resource: "pods", verb })),
  { resource: "pods", subresource: "log", verb: "get" },
  { resource: "nodes", verb: "list", everywhere: true },
  { resource: "pods", verb: "list", everywhere: true },
];
const USEFUL = [{ group: "metrics.k8s.io", resource: "pods", verb: "list" }] as const satisfies readonly Permission[];

function wordsFor({ group = "", resource, subresource, verb, everywhere }: Permission): string {
  const what = `${resource}${subresource === undefined ? "" : `/${subresource}`}${group === "" ? "" : `.${group}`}`;
  return `${verb} ${what}${everywhere === true ? " of the whole cluster" : ""}`;
}

function noMetrics(why: string): string {
  return (
    `The CPU time of units cannot be read (${why}): it counts as 0, and so does the energy that is reckoned from it. ` +
    `Install a metrics server, and let the role list pods.metrics.k8s.io.`
  );
}

/** Tries the volume that the agent and its units share: a directory that is made for a pod may belong to root. */
async function workDirectoryProblem({ volume, uid, gid }: ClusterSettings): Promise<string | undefined> {
  const file = join(volume.path, `.probe-${process.pid}`);
  try {
    await mkdir(volume.path, { recursive: true });
    await writeFile(file, "");
    await rm(file);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : messageOf(error);
    return (
      `the volume ${volume.claim} cannot be written to at ${volume.path} by user ${uid} (${code}): give the volume's root to ` +
      `${uid}:${gid}, by fsGroup, by its storage class's options or once by hand`
    );
  }
}

/** Says something once, until it is over. */
class Notices {
  readonly #said = new Map<string, string>();
  readonly #say: ((notice: string) => void) | undefined;

  constructor(say: ((notice: string) => void) | undefined) {
    this.#say = say;
  }

  say(key: string, notice: string): void {
    if (this.#said.get(key) === notice) return;
    this.#said.set(key, notice);
    this.#say?.(notice);
  }

  clear(key: string): void {
    this.#said.delete(key);
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
