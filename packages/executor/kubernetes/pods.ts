import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

import type { Cause } from "../exit.ts";
import { completionIndexOf, NAMES } from "./job.ts";

/** Where a unit's pod is. */
export type PodState =
  /** Waits for the agent. */
  | { readonly kind: "gated" }
  /** Waits for a machine, an image, or a volume. `wait`: how long that is worth: not at all, shortly, or long. */
  | { readonly kind: "pending"; readonly why: string; readonly wait: "none" | "short" | "long" }
  /** `at`: when its program began, milliseconds since 1970, by the machine's clock. */
  | { readonly kind: "running"; readonly at: number | undefined }
  /** Taken away by the cluster: the Job makes another one. */
  | { readonly kind: "taken"; readonly why: string }
  /** Its machine no longer tells anything about it, or was to end it and has not done so in its time. */
  | { readonly kind: "leaving"; readonly why: string }
  | {
      readonly kind: "ended";
      readonly code: number;
      readonly cause: Cause | undefined;
      /** Reason and message of the cluster, if it gave any. */
      readonly why: string;
    };

const SIGKILLED = 137;
/** Reasons of a container that waits for what will never be. */
const HOPELESS = new Set(["InvalidImageName", "ErrImageNeverPull"]);
/** The same by message: the image is none for the machine's processor, or for a user who is not root. */
const HOPELESS_MESSAGE = /no match for platform|image has non-numeric user|image will run as root/i;
/** Reasons of a container that its machine has trouble with: tried again by the machine, soon right or never. */
const TROUBLED = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
  "ImageInspectError",
]);
/** A container whose command cannot be run on any machine. */
const NO_COMMAND =
  /executable file not found|no such file or directory|permission denied|exec format error|not a directory/i;
/** Reasons of a terminated container that says nothing about its program. */
const NEVER_RAN = new Set(["StartError", "ContainerCannotRun"]);
const OUT_OF_SIGHT = "ContainerStatusUnknown";
/** An eviction for what the unit itself did, in the kubelet's words. */
const OWN_STORAGE =
  /ephemeral[- ](?:local )?storage (?:usage )?exceed|local ephemeral storage usage exceeds|exceeded its local ephemeral storage limit|usage of EmptyDir volume .* exceeds/i;
/** Reasons of a pod that its machine ended for its own sake. */
const TAKEN = new Set(["Evicted", "Terminated", "NodeShutdown", "Shutdown", "Preempting", "Preempted", "NodeLost"]);

/**
 * Reads a pod's state: by the reasons and messages of the cluster first, by its program's exit code where there are none.
 * A pod that failed without its program's having run has `unstarted`, whatever its reason is. Pure.
 */
export function stateOf(pod: V1Pod): PodState {
  const { status, spec, metadata } = pod;
  const unit = status?.containerStatuses?.find(({ name }) => name === NAMES.container);
  const terminated = unit?.state?.terminated;
  if (status?.phase === "Succeeded" || status?.phase === "Failed" || terminated) return endOf(pod, unit);
  if (status?.phase === "Unknown") {
    return { kind: "leaving", why: words(status.reason, status.message) || "its machine is not heard of" };
  }
  if (metadata?.deletionTimestamp !== undefined) {
    return { kind: "leaving", why: "its pod was deleted, and its machine does not end it" };
  }
  if ((spec?.schedulingGates ?? []).some(({ name }) => name === NAMES.gate)) return { kind: "gated" };
  if (status?.phase === "Running") {
    const at = unit?.state?.running?.startedAt;
    return { kind: "running", at: at === undefined ? undefined : new Date(at).getTime() };
  }
  const waiting = unit?.state?.waiting;
  const unscheduled = status?.conditions?.find(({ type, status: yes }) => type === "PodScheduled" && yes === "False");
  const why = [waiting?.reason, waiting?.message, unscheduled?.message].filter((each) => each !== undefined).join(": ");
  const hopeless = HOPELESS.has(waiting?.reason ?? "") || HOPELESS_MESSAGE.test(waiting?.message ?? "");
  return { kind: "pending", why, wait: hopeless ? "none" : TROUBLED.has(waiting?.reason ?? "") ? "short" : "long" };
}

function endOf({ status }: V1Pod, unit: V1ContainerStatus | undefined): PodState {
  const terminated = unit?.state?.terminated;
  const reason = status?.reason ?? "";
  const code = terminated?.exitCode ?? (status?.phase === "Succeeded" ? 0 : SIGKILLED);
  const why = words(status?.reason, status?.message) || words(terminated?.reason, terminated?.message);
  const end = (cause: Cause | undefined, shown = why): PodState => ({ kind: "ended", code, cause, why: shown });
  // What it left is looked at no matter who ended it.
  if (code === 0) return end(undefined);
  if (OWN_STORAGE.test(status?.message ?? "")) return end("storage");
  const disruption = status?.conditions?.find(({ type, status: yes }) => type === "DisruptionTarget" && yes === "True");
  if (disruption) return { kind: "taken", why: words(disruption.reason, disruption.message) || why };
  if (terminated && NEVER_RAN.has(terminated.reason ?? "")) {
    const said = words(terminated.reason, terminated.message);
    return end(NO_COMMAND.test(terminated.message ?? "") ? "unstartable" : "unstarted", said);
  }
  // Before admission a machine that shuts down turns pods away: nothing of them ran.
  const ran = terminated !== undefined || unit?.lastState?.terminated !== undefined;
  if (reason === "DeadlineExceeded") return end(ran ? "timeout" : "unstarted");
  if (terminated?.reason === "OOMKilled") return end("memory");
  if (reason === "Evicted" || (TAKEN.has(reason) && ran)) return end("evicted");
  if (terminated?.reason === OUT_OF_SIGHT) return end("evicted");
  return end(ran ? undefined : "unstarted");
}

function words(reason: string | undefined, message: string | undefined): string {
  return [reason, message].filter((each) => each !== undefined && each !== "").join(": ");
}

/** The pod of a Job's index that counts: the youngest one. */
export function podOfIndex(pods: readonly V1Pod[], job: string, index: number): V1Pod | undefined {
  const born = (pod: V1Pod) => new Date(pod.metadata?.creationTimestamp ?? 0).getTime();
  return pods
    .filter((pod) => completionIndexOf(pod) === index && ownerOf(pod) === job)
    .sort((a, b) => born(b) - born(a))[0];
}

/** Name of the Job that a pod belongs to. */
function ownerOf(pod: V1Pod): string | undefined {
  return pod.metadata?.ownerReferences?.find(({ kind }) => kind === "Job")?.name;
}
