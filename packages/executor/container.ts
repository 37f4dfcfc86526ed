import { mkdir, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { ContainerInspectInfo } from "dockerode";

import { removeUnfinished } from "./checkpoints.ts";
import { WorkloadError } from "./errors.ts";
import { clearOutputs } from "./outputs.ts";
import type { TaskSpec } from "./spec.ts";
import { giveTo } from "./container/disk.ts";
import { answer, connectEngine, type Engine, insist, messageOf, statusOf } from "./container/engine.ts";
import { containerRefusal, userFor } from "./container/fit.ts";
import { Gpus } from "./container/gpus.ts";
import { type ImageLimits, Images } from "./container/images.ts";
import {
  type ContainerLimits,
  type ContainerProgram,
  containerName,
  containerOptions,
  hash,
  LABELS,
  runLabel,
  scratchFolder,
  scratchOnDisk,
} from "./container/options.ts";
import { credentialsFor, type NodeRegistry } from "./container/registries.ts";
import { RunningContainer } from "./container/running.ts";
import { Stragglers } from "./container/stragglers.ts";
import type { Executor, RunningUnit, UnitRun } from "./executor.ts";
import { makeDirectories, writeAccounts, writtenDirectories } from "./inside.ts";
import { BoundedLog } from "./log.ts";
import { boundedUnit } from "./time-outs.ts";

/** How units are run in containers. What is left out has the defaults of {@link CONTAINER_DEFAULTS}. */
export interface ContainerExecutorOptions {
  /** Where the executor notes what it has pulled; its real path also marks this agent's containers as its own. */
  readonly directory: string;
  /** Path of the engine's socket; by default that of the Docker or Podman that is found. */
  readonly socket?: string | undefined;
  /** Image that holds the built-in trainers: its entry point takes a trainer's name and its arguments. */
  readonly trainerImage?: string | undefined;
  /** Names of the trainers in it. */
  readonly trainers: readonly string[];
  /** `uid:gid` that programs run as, if the agent is root; else they run as the agent's own user. */
  readonly user?: string | undefined;
  readonly pids?: number | undefined;
  readonly tmpMiB?: number | undefined;
  readonly scratchMiB?: number | undefined;
  readonly diskMiB?: number | undefined;
  readonly outboundNetwork?: string | undefined;
  readonly runtime?: string | undefined;
  /** Ids of the GPUs that are for rent, as the engine knows them. */
  readonly gpus?: readonly string[] | undefined;
  readonly images?: { readonly [bound in keyof ImageLimits]?: number | undefined } | undefined;
  /** Credentials of the node for private registries. */
  readonly registries?: readonly NodeRegistry[] | undefined;
  readonly logBytes?: number | undefined;
  /** Seconds after the start within which a container of the agent's earlier life has to be wanted again. */
  readonly adoptSeconds?: number | undefined;
}

export const CONTAINER_DEFAULTS = {
  /** "nobody" of distroless images: no account of the machine. */
  user: "65532:65532",
  pids: 512,
  tmpMiB: 64,
  scratchMiB: 10_240,
  diskMiB: 10_240,
  images: { totalMiB: 51_200, eachMiB: 20_480, pullSeconds: 1800 },
  logBytes: 1024 * 1024,
  adoptSeconds: 300,
} as const;

/**
 * Runs units in containers of the Docker or Podman of this machine, so that a stranger's program does not own it:
 * `options.ts` says what it gets and what it does not.
 *
 * A container outlives its agent's crash. When the agent comes back and wants the same unit, the container is taken over
 * while it runs, or its result if it is done; what is no longer wanted is removed (see `stragglers.ts`).
 */
export class ContainerExecutor implements Executor {
  readonly name = "container";
  readonly engine: Engine;
  readonly images: Images;
  readonly #options: ContainerExecutorOptions;
  readonly #limits: ContainerLimits;
  readonly #owner: string;
  readonly #stragglers: Stragglers;
  readonly #gpus: Gpus;
  /** Names of the containers being started or running. */
  readonly #busy = new Set<string>();
  readonly #running = new Set<RunningContainer>();

  private constructor(engine: Engine, owner: string, options: ContainerExecutorOptions, limits: ContainerLimits) {
    this.engine = engine;
    this.#owner = owner;
    this.#options = options;
    this.#limits = limits;
    this.#gpus = new Gpus(options.gpus ?? []);
    const { totalMiB, eachMiB, pullSeconds } = CONTAINER_DEFAULTS.images;
    this.images = new Images(engine, join(options.directory, "images.json"), {
      totalMiB: options.images?.totalMiB ?? totalMiB,
      eachMiB: options.images?.eachMiB ?? eachMiB,
      pullSeconds: options.images?.pullSeconds ?? pullSeconds,
    });
    const adoptSeconds = options.adoptSeconds ?? CONTAINER_DEFAULTS.adoptSeconds;
    this.#stragglers = new Stragglers(engine.docker, owner, this.#busy, adoptSeconds * 1000);
  }

  /**
   * Connects to the engine.
   *
   * @throws {@link WorkloadError} `ENGINE_UNAVAILABLE`, `REFUSED` if the user to run programs as makes no sense.
   */
  static async open(options: ContainerExecutorOptions): Promise<ContainerExecutor> {
    const user = userFor(options.user, process.getuid?.() ?? 0, process.getgid?.() ?? 0, CONTAINER_DEFAULTS.user);
    const engine = await connectEngine(options.socket);
    await mkdir(options.directory, { recursive: true });
    const { pids, tmpMiB, scratchMiB, diskMiB, logBytes } = CONTAINER_DEFAULTS;
    const limits: ContainerLimits = {
      user,
      // A rootless Podman would otherwise give the agent's user to root inside, and another one to the program.
      usernsMode: engine.podman && engine.rootless ? "keep-id" : undefined,
      pids: options.pids ?? pids,
      tmpMiB: options.tmpMiB ?? tmpMiB,
      scratchMiB: options.scratchMiB ?? scratchMiB,
      diskMiB: options.diskMiB ?? diskMiB,
      outboundNetwork: options.outboundNetwork,
      runtime: options.runtime,
      logBytes: options.logBytes ?? logBytes,
    };
    return new ContainerExecutor(engine, hash(await realpath(options.directory)), options, limits);
  }

  refusal(spec: TaskSpec): string | undefined {
    return containerRefusal(spec, {
      cpus: this.engine.cpus,
      memoryMiB: this.engine.memoryMiB,
      gpus: this.#gpus.count,
      trainers: this.#options.trainers,
      trainerImage: this.#options.trainerImage !== undefined,
      network: this.#options.outboundNetwork !== undefined,
      scratchMiB: Math.max(this.#limits.tmpMiB, this.#limits.scratchMiB),
    });
  }

  async start(given: UnitRun): Promise<RunningUnit> {
    const refusal = this.refusal(given.spec);
    if (refusal !== undefined) throw new WorkloadError("REFUSED", refusal);
    const unit = await withRealPaths(given).catch((error: unknown) => {
      throw this.#startFailed(given, error);
    });
    const name = containerName(unit.folder);
    if (this.#busy.has(name)) {
      const { root } = unit.folder;
      throw new WorkloadError("ALREADY_RUNNING", `The unit in ${root} is already running: wait for its end.`);
    }
    this.#busy.add(name);
    const gpus: string[] = [];
    const free = () => {
      this.#busy.delete(name);
      this.#gpus.giveBack(gpus);
    };
    try {
      const running = await this.#begin(unit, name, gpus);
      this.#running.add(running);
      void running.exited.then(async () => {
        this.#running.delete(running);
        free();
        // What cannot be removed now is tried again after the next unit.
        await this.images.collect().catch(() => undefined);
      });
      return boundedUnit(running);
    } catch (error) {
      free();
      if (error instanceof WorkloadError) throw error;
      throw this.#startFailed(unit, error);
    }
  }

  #startFailed({ unitIndex, taskId }: UnitRun, cause: unknown): WorkloadError {
    const message = `Unit ${unitIndex} of task ${taskId} could not be started by ${this.engine.name}: ${messageOf(cause)}`;
    return new WorkloadError("START_FAILED", message, { cause });
  }

  /** Removes containers that are no longer wanted; happens by itself every now and then. @returns their names. */
  async sweep(): Promise<string[]> {
    return this.#stragglers.sweep();
  }

  async close(): Promise<void> {
    for (const running of this.#running) running.detach();
    await this.#stragglers.close();
  }

  /** @param gpus Filled with what the unit gets. */
  async #begin(unit: UnitRun, name: string, gpus: string[]): Promise<RunningContainer> {
    const program = await this.#program(unit);
    const { folder, spec } = unit;
    const found = await this.#find(name);
    if (found && isWanted(found, runLabel(unit, program.image))) {
      const requests = (found.HostConfig as { DeviceRequests?: { DeviceIDs?: string[] }[] }).DeviceRequests ?? [];
      gpus.push(...this.#gpus.claim(requests.flatMap(({ DeviceIDs }) => DeviceIDs ?? [])));
      // Lines of the last moments before the agent's end may come twice; none are lost.
      const logSince = await stat(folder.log)
        .then(({ mtimeMs }) => mtimeMs)
        .catch(() => 0);
      return this.#watch(unit, found, logSince, ", taken over");
    }
    if (found) await this.#remove(found.Id);
    await removeUnfinished(folder.checkpoint);
    await clearOutputs(folder.output);
    const [uid = NaN, gid = NaN] = this.#limits.user.split(":").map(Number);
    await writeAccounts(folder, uid, gid);
    const scratch = scratchFolder(folder);
    // What another attempt has left there is not this one's to find.
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch);
    if (process.getuid?.() === 0) {
      // Inputs as well, which are mounted to be read only: what an agent writes nobody but its own user can read. They change
      // their owner, not their permissions: a link among them is not followed.
      for (const path of [...writtenDirectories(folder, spec), scratch, folder.input])
        await giveTo(path, this.#limits.user);
    }
    gpus.push(...this.#gpus.take(spec.resources.gpus));
    const options = containerOptions(unit, program, this.#limits, this.#owner, gpus);
    const container = await insist(() => this.engine.docker.createContainer(options));
    try {
      await answer(() => container.start());
    } catch (error) {
      await this.#remove(container.id).catch(() => undefined);
      throw error;
    }
    const ended = found === undefined ? "" : `, after removing leftover container ${found.Id.slice(0, 12)}`;
    return this.#watch(unit, await insist(() => container.inspect()), 0, ended);
  }

  async #watch(unit: UnitRun, info: ContainerInspectInfo, logSince: number, how: string): Promise<RunningContainer> {
    const log = await BoundedLog.open(unit.folder.log, this.#limits.logBytes);
    await log.append(`--- unit ${unit.unitIndex} of task ${unit.taskId}, attempt ${unit.attempt}${how}\n`);
    return new RunningContainer({
      engine: this.engine,
      container: this.engine.docker.getContainer(info.Id),
      unit,
      log,
      startedAt: performance.now() - ageMs(info.State.StartedAt),
      logSince,
      diskMiB: this.#limits.diskMiB,
      scratchMiB: scratchOnDisk(unit.spec, this.#limits),
    });
  }

  async #program({ spec, developer }: UnitRun): Promise<ContainerProgram> {
    if (spec.trainer === undefined) {
      const credentials = await credentialsFor(spec, developer, this.#options.registries ?? []);
      const image = await this.images.get(spec.image ?? "", credentials);
      return { image, entrypoint: spec.command, args: spec.args };
    }
    const image = await this.images.get(this.#options.trainerImage ?? "");
    return { image, args: [spec.trainer, ...spec.args] };
  }

  async #find(name: string): Promise<ContainerInspectInfo | undefined> {
    try {
      return await insist(() => this.engine.docker.getContainer(name).inspect());
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** @throws {@link WorkloadError} `LEFTOVER_ALIVE` */
  async #remove(id: string): Promise<void> {
    try {
      await insist(() => this.engine.docker.getContainer(id).remove({ force: true, v: true }));
    } catch (cause) {
      if (statusOf(cause) === 404) return;
      throw new WorkloadError(
        "LEFTOVER_ALIVE",
        `Container ${id.slice(0, 12)} of an earlier run of this unit cannot be removed: ${messageOf(cause)}. Remove it ` +
          `by hand, then start the agent again.`,
        { cause },
      );
    }
  }
}

/** Whether a container of an earlier life is what would be started, and runs still or is done. */
function isWanted({ Config, State }: ContainerInspectInfo, run: string): boolean {
  const good = State.Running ? !State.Paused : State.Status === "exited" && State.ExitCode === 0;
  return Config.Labels[LABELS.run] === run && good;
}

/** Makes a unit's directories; the engine needs their real paths. */
async function withRealPaths(unit: UnitRun): Promise<UnitRun> {
  const { root, checkpoint, input, output } = unit.folder;
  await makeDirectories(unit.folder, unit.spec);
  return {
    ...unit,
    folder: {
      ...unit.folder,
      root: await realpath(root),
      checkpoint: await realpath(checkpoint),
      input: await realpath(input),
      output: await realpath(output),
      exchange: join(await realpath(root), "exchange"),
    },
  };
}

/** How long ago the engine's date was, milliseconds; 0 if it has none yet, or one to come. */
function ageMs(date: string): number {
  const at = Date.parse(date);
  return at > 0 ? Math.max(0, Date.now() - at) : 0;
}
