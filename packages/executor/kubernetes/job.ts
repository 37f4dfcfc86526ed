import type {
  V1Container,
  V1EmptyDirVolumeSource,
  V1EnvVar,
  V1Job,
  V1Pod,
  V1VolumeMount,
} from "@kubernetes/client-node";

import { unitEnvironment } from "../environment.ts";
import { WorkloadError } from "../errors.ts";
import { ACCOUNT_FILES, ACCOUNTS, INSIDE, insideDirectories, SCRATCH, usualVariables } from "../inside.ts";
import { hash } from "../container/options.ts";
import type { UnitRun } from "../executor.ts";
import { EPHEMERAL_MIB } from "../exit.ts";

/** What the cluster's owner lets units have and where they go. */
export interface ClusterSettings {
  readonly namespace: string;
  /** Of the label that marks this agent's Jobs. */
  readonly owner: string;
  /** The volume that the agent and its units share. */
  readonly volume: {
    readonly claim: string;
    /** Where the agent has it mounted. */
    readonly path: string;
    /** Directory of the volume that the agent has mounted there; "" for its root. */
    readonly subPath: string;
  };
  /** Whom programs run as; the agent's own user, as they share files. */
  readonly uid: number;
  readonly gid: number;
  readonly tmpMiB: number;
  readonly priorityClass?: string | undefined;
  /** Queue of Kueue's that admits Jobs: they are created suspended. */
  readonly queue?: string | undefined;
  /** Such as gVisor's. */
  readonly runtimeClass?: string | undefined;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Secrets of the namespace that images are pulled with. */
  readonly imagePullSecrets?: readonly string[] | undefined;
  /** Name of the resource that GPUs are counted by. */
  readonly gpuResource: string;
}

/** Labels and annotations of units' pods. */
export const NAMES = {
  app: "app.kubernetes.io/name",
  unit: "drmp-unit",
  owner: "ai.verai.drmp/owner",
  network: "ai.verai.drmp/network",
  /** The unit's index in its task. */
  index: "ai.verai.drmp/unit-index",
  attempt: "ai.verai.drmp/attempt",
  /** Holds a pod back until the agent has told it which unit it is, and for the how-manieth time. */
  gate: "ai.verai.drmp/unit",
  completionIndex: "batch.kubernetes.io/job-completion-index",
  queue: "kueue.x-k8s.io/queue-name",
  container: "unit",
} as const;

const DAY = 86_400;

/** Seconds that a pod gets for its machine, image and sandbox. */
export const START_SECONDS = 1800;

/** Which units a Job runs: completion index i is unit first + i. */
export interface JobRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Name of the Job that runs a unit. All units of a lease share one, as long as they run for the first time under it; a
 * unit that is started again gets a Job of its own, as the index of one that failed is failed for good.
 */
export function jobName(
  unit: UnitRun,
  range: JobRange,
  settings: Pick<ClusterSettings, "owner">,
  again: number,
): string {
  const { leaseId, folder, spec } = unit;
  const identity = JSON.stringify([
    settings.owner,
    folder.root.slice(0, folder.root.lastIndexOf("/")),
    spec,
    range,
    again,
    ...(unit.stopAt === undefined ? [] : [unit.stopAt]),
  ]);
  return `drmp-${leaseId}-${range.first}-${hash(identity).slice(0, 10)}`;
}

/**
 * A lease as an Indexed Job: completion index i is unit `range.first + i`. Pure.
 *
 * Each pod is gated: it starts only when the agent has written its unit's index and attempt on it, so that nothing begins
 * while the agent is away. A pod that the cluster takes away (drain, preemption, a lost machine) does not count and is made
 * again; one whose program ends with an exit code other than 0 fails its index, and the agent decides what follows.
 */
export function jobFor(unit: UnitRun, range: JobRange, image: string, name: string, settings: ClusterSettings): V1Job {
  const { spec } = unit;
  const labels = {
    [NAMES.app]: NAMES.unit,
    [NAMES.owner]: settings.owner,
    ...(spec.network === "outbound" ? { [NAMES.network]: "outbound" } : {}),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: settings.namespace, labels: { ...labels, ...queueLabel(settings) } },
    spec: {
      // Kueue lets it go on once there is quota for it; no pod is made before.
      ...(settings.queue === undefined ? {} : { suspend: true }),
      completionMode: "Indexed",
      completions: range.count,
      parallelism: range.count,
      backoffLimitPerIndex: 0,
      maxFailedIndexes: range.count,
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          { action: "FailIndex", onExitCodes: { containerName: NAMES.container, operator: "NotIn", values: [0] } },
        ],
      },
      // Should the agent never come back to delete it.
      ttlSecondsAfterFinished: DAY,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          schedulingGates: [{ name: NAMES.gate }],
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: Math.max(1, spec.timeouts.graceSeconds),
          // Counted by the cluster from when a machine has the pod, so that it holds also while the agent is away. The agent
          // counts the unit's own time from when its program begins: images and sandboxes are not part of it.
          activeDeadlineSeconds: spec.timeouts.unitSeconds + START_SECONDS,
          ...(settings.priorityClass === undefined ? {} : { priorityClassName: settings.priorityClass }),
          ...(settings.runtimeClass === undefined ? {} : { runtimeClassName: settings.runtimeClass }),
          ...((settings.imagePullSecrets ?? []).length === 0
            ? {}
            : { imagePullSecrets: (settings.imagePullSecrets ?? []).map((name) => ({ name })) }),
          ...(Object.keys(settings.nodeSelector).length === 0 ? {} : { nodeSelector: { ...settings.nodeSelector } }),
          securityContext: {
            runAsNonRoot: true,
            runAsUser: settings.uid,
            runAsGroup: settings.gid,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [container(unit, image, settings)],
          volumes: [
            { name: "work", persistentVolumeClaim: { claimName: settings.volume.claim } },
            { name: "tmp", emptyDir: tmpOf(spec, settings) },
            ...(spec.resources.shmMiB === undefined
              ? []
              : [{ name: "shm", emptyDir: { medium: "Memory", sizeLimit: `${spec.resources.shmMiB}Mi` } }]),
          ],
        },
      },
    },
  };
}

function queueLabel({ queue }: ClusterSettings): Record<string, string> {
  return queue === undefined ? {} : { [NAMES.queue]: queue };
}

/** What makes a gated pod a unit: a merge patch. */
export function openGate(unitIndex: number, attempt: number): object {
  return {
    metadata: { annotations: { [NAMES.index]: String(unitIndex), [NAMES.attempt]: String(attempt) } },
    spec: { schedulingGates: null },
  };
}

/** Completion index of a Job's pod; undefined if it has none. */
export function completionIndexOf(pod: V1Pod): number | undefined {
  const text = pod.metadata?.annotations?.[NAMES.completionIndex] ?? pod.metadata?.labels?.[NAMES.completionIndex];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** /tmp: in memory, or on the machine's disk where the spec asks for room there. */
function tmpOf({ resources }: UnitRun["spec"], settings: ClusterSettings): V1EmptyDirVolumeSource {
  const { ephemeralMiB } = resources;
  return ephemeralMiB === undefined
    ? { medium: "Memory", sizeLimit: `${settings.tmpMiB}Mi` }
    : { sizeLimit: `${ephemeralMiB}Mi` };
}

function container(unit: UnitRun, image: string, settings: ClusterSettings): V1Container {
  const { spec } = unit;
  const { cpus, memoryMiB, gpus } = spec.resources;
  const resources = {
    cpu: `${Math.round(cpus * 1000)}m`,
    memory: `${memoryMiB}Mi`,
    "ephemeral-storage": `${spec.resources.ephemeralMiB ?? EPHEMERAL_MIB}Mi`,
    ...(gpus > 0 ? { [settings.gpuResource]: String(gpus) } : {}),
  };
  return {
    name: NAMES.container,
    image,
    ...(spec.trainer === undefined && spec.command !== undefined ? { command: [...spec.command] } : {}),
    args: spec.trainer === undefined ? [...spec.args] : [spec.trainer, ...spec.args],
    env: environment(unit),
    resources: { requests: resources, limits: resources },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: mounts(unit, settings),
    terminationMessagePolicy: "File",
  };
}

function environment(unit: UnitRun): V1EnvVar[] {
  const fromPod = (name: string, annotation: string): V1EnvVar => ({
    name,
    valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${annotation}']` } },
  });
  const { spec } = unit;
  const env = unitEnvironment({ ...spec, env: { ...usualVariables(spec.resources.cpus), ...spec.env } }, unit, INSIDE);
  const { DRMP_UNIT_INDEX: _index, DRMP_ATTEMPT: _attempt, ...same } = env;
  return [
    fromPod("DRMP_UNIT_INDEX", NAMES.index),
    fromPod("DRMP_ATTEMPT", NAMES.attempt),
    // "$(" would be taken for a reference to another variable.
    ...Object.entries(same).map(([name, value]) => ({ name, value: value.replaceAll("$(", () => "$$(") })),
  ];
}

/** @throws {@link WorkloadError} `START_FAILED` if the unit's folder is not on the shared volume. */
function mounts(unit: UnitRun, { volume }: ClusterSettings): V1VolumeMount[] {
  const { root } = unit.folder;
  const { shmMiB } = unit.spec.resources;
  const suffix = `/unit-${unit.unitIndex}`;
  if (!root.startsWith(`${volume.path}/`) || !root.endsWith(suffix)) {
    throw new WorkloadError(
      "START_FAILED",
      `The unit's folder ${root} is not on the volume ${volume.claim}, which the agent has at ${volume.path}: correct ` +
        `executor.volume.path.`,
    );
  }
  const lease = root.slice(volume.path.length + 1, -suffix.length);
  const base = volume.subPath === "" ? lease : `${volume.subPath}/${lease}`;
  const account = (name: string, mountPath: string): V1VolumeMount => ({
    name: "work",
    mountPath,
    subPathExpr: `${base}/unit-$(DRMP_UNIT_INDEX)/${ACCOUNTS}/${name}`,
    readOnly: true,
  });
  return [
    ...insideDirectories(unit.spec).map(({ path, target, readOnly }): V1VolumeMount => ({
      name: "work",
      mountPath: target,
      subPathExpr: `${base}/unit-$(DRMP_UNIT_INDEX)/${path}`,
      readOnly,
    })),
    ...Object.entries(ACCOUNT_FILES).map(([name, path]) => account(name, path)),
    { name: "tmp", mountPath: SCRATCH },
    ...(shmMiB === undefined ? [] : [{ name: "shm", mountPath: "/dev/shm" }]),
  ];
}
