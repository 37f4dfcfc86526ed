import { createHash } from "node:crypto";

import type { ContainerCreateOptions } from "dockerode";

import { join } from "node:path";

import { unitEnvironment } from "../environment.ts";
import { ACCOUNT_FILES, ACCOUNTS, INSIDE, insideDirectories, NAME, SCRATCH, usualVariables } from "../inside.ts";
import { specBytes, type TaskSpec } from "../spec.ts";
import type { UnitFolder, UnitRun } from "../executor.ts";

/** What this node's owner lets a container have, the same for all units. */
export interface ContainerLimits {
  /** `uid:gid` that programs run as; never root. */
  readonly user: string;
  /** How a rootless Podman maps that user to the agent's own; undefined elsewhere. */
  readonly usernsMode?: "keep-id" | undefined;
  /** Processes and threads of a unit. */
  readonly pids: number;
  /** Size of /tmp and of /dev/shm where a spec does not ask for more, MiB. What lies there counts as the unit's memory. */
  readonly tmpMiB: number;
  /** Largest /tmp that a spec may ask for, MiB: what does not fit into `tmpMiB` lies on disk. */
  readonly scratchMiB: number;
  /** Largest single file that a unit may write, and bound on all of its checkpoints and outputs together, MiB. */
  readonly diskMiB: number;
  /** The engine's network for tasks that ask for one; undefined: such tasks are refused. */
  readonly outboundNetwork?: string | undefined;
  /** Engine's runtime other than its default, such as gVisor's "runsc". */
  readonly runtime?: string | undefined;
  /** Bound on what the engine keeps of a unit's log, bytes. */
  readonly logBytes: number;
}

/** An image as the engine has it. */
export interface LocalImage {
  /** `sha256:…` of its configuration. */
  readonly id: string;
  /** Paths that the image declares as volumes. */
  readonly volumes: readonly string[];
}

/** What to run in it. */
export interface ContainerProgram {
  readonly image: LocalImage;
  /** Replaces the image's entry point; undefined keeps it. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly args: readonly string[];
}

/** Labels of an agent's containers. */
export const LABELS = {
  /** Which agent it belongs to. */
  owner: "ai.verai.drmp.owner",
  /** The unit's folder. */
  root: "ai.verai.drmp.root",
  /** What is run: equal for equal specs, images and units. */
  run: "ai.verai.drmp.run",
} as const;

const MIB = 1024 * 1024;
/** Weight of the machine owner's own programs is 1024. */
const CPU_SHARES = 256;

/** Directory of a unit's folder that is its /tmp, where that lies on disk. */
export function scratchFolder({ root }: Pick<UnitFolder, "root">): string {
  return join(root, "scratch");
}

/** MiB of a unit's /tmp on disk; undefined if it is in memory. */
export function scratchOnDisk(spec: TaskSpec, { tmpMiB }: Pick<ContainerLimits, "tmpMiB">): number | undefined {
  const { ephemeralMiB } = spec.resources;
  return ephemeralMiB === undefined || ephemeralMiB <= tmpMiB ? undefined : ephemeralMiB;
}

/** A container's name follows from its unit's folder: the engine itself refuses to run a unit twice. */
export function containerName(folder: Pick<UnitFolder, "root">): string {
  return `drmp-${hash(folder.root).slice(0, 24)}`;
}

/** What tells whether a container that is already there runs just what would be started. Attempts do not count. */
export function runLabel(unit: UnitRun, image: LocalImage): string {
  const { leaseId, taskId, unitIndex, unitCount, stopAt, spec } = unit;
  const which = [leaseId, taskId, unitIndex, unitCount, image.id, ...(stopAt === undefined ? [] : [stopAt])];
  return hash(JSON.stringify(which) + Buffer.from(specBytes(spec)).toString());
}

/**
 * What the engine is asked for. Everything is off that a unit does not need: no network, no capabilities, no new
 * privileges, no writing but to its own directories and its /tmp; memory (no swap), CPU, processes and files are
 * capped by the kernel. The engine's default seccomp profile stays on.
 *
 * @param owner Of the label.
 * @param gpus Device ids that this unit gets.
 */
export function containerOptions(
  unit: UnitRun,
  program: ContainerProgram,
  limits: ContainerLimits,
  owner: string,
  gpus: readonly string[],
): ContainerCreateOptions {
  const { spec, folder } = unit;
  const memory = spec.resources.memoryMiB * MIB;
  const tmpfs = `nosuid,nodev,size=${limits.tmpMiB}m,mode=1777`;
  const { ephemeralMiB = 0, shmMiB = limits.tmpMiB } = spec.resources;
  // The kernel knows one bound for all files: those of checkpoints are bounded once more by the agent.
  const largest = Math.max(limits.diskMiB, ephemeralMiB, shmMiB);
  const onDisk = scratchOnDisk(spec, limits) !== undefined;
  return {
    name: containerName(folder),
    Image: program.image.id,
    ...(program.entrypoint === undefined ? {} : { Entrypoint: [...program.entrypoint] }),
    Cmd: [...program.args],
    Env: Object.entries(environment(unit, gpus)).map(([name, value]) => `${name}=${value}`),
    User: limits.user,
    Hostname: NAME,
    Labels: { [LABELS.owner]: owner, [LABELS.root]: folder.root, [LABELS.run]: runLabel(unit, program.image) },
    StopSignal: "SIGTERM",
    // What an image calls its health is of no use here, and would run beside the program.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: spec.network === "outbound" ? (limits.outboundNetwork ?? "none") : "none",
      ReadonlyRootfs: true,
      // Without a network the engine would not let its own name be resolved.
      ExtraHosts: [`${NAME}:127.0.0.1`],
      Tmpfs: {
        // Volumes that the image declares would be unbounded disk: they get memory that counts instead.
        ...Object.fromEntries(program.image.volumes.map((path) => [path, `rw,noexec,${tmpfs}`])),
        // Compilers put libraries here that they load; the program could run what it likes anyway.
        ...(onDisk ? {} : { [SCRATCH]: `rw,exec,${tmpfs}` }),
      },
      Mounts: [
        ...Object.entries(ACCOUNT_FILES).map(([name, path]) => bind(join(folder.root, ACCOUNTS, name), path, true)),
        ...(onDisk ? [bind(scratchFolder(folder), SCRATCH, false)] : []),
        ...insideDirectories(spec).map(({ path, target, readOnly }) => bind(join(folder.root, path), target, readOnly)),
      ],
      SecurityOpt: ["no-new-privileges"],
      CapDrop: ["ALL"],
      Privileged: false,
      IpcMode: "private",
      ...(limits.usernsMode === undefined ? {} : { UsernsMode: limits.usernsMode }),
      ...(limits.runtime === undefined ? {} : { Runtime: limits.runtime }),
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(spec.resources.cpus * 1e9),
      CpuShares: CPU_SHARES,
      PidsLimit: limits.pids,
      ShmSize: shmMiB * MIB,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "fsize", Soft: largest * MIB, Hard: largest * MIB },
      ],
      RestartPolicy: { Name: "no" },
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": String(Math.ceil(limits.logBytes / 2)), "max-file": "2" },
      },
      ...(gpus.length === 0
        ? {}
        : { DeviceRequests: [{ Driver: "", Count: 0, DeviceIDs: [...gpus], Capabilities: [["gpu"]], Options: {} }] }),
    },
  };
}

function environment(unit: UnitRun, gpus: readonly string[]): Record<string, string> {
  const { spec } = unit;
  const env = unitEnvironment({ ...spec, env: { ...usualVariables(spec.resources.cpus), ...spec.env } }, unit, INSIDE);
  // Where NVIDIA's runtime is the engine's default, a program could give itself all devices by this variable.
  if (gpus.length === 0) env["NVIDIA_VISIBLE_DEVICES"] = "void";
  else delete env["NVIDIA_VISIBLE_DEVICES"];
  return env;
}

function bind(Source: string, Target: string, ReadOnly: boolean) {
  return { Type: "bind" as const, Source, Target, ReadOnly, BindOptions: { Propagation: "rprivate" as const } };
}

/** SHA-256 in hex. */
export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
