import type { V1Pod } from "@kubernetes/client-node";

import { completionIndexOf, NAMES } from "./job.ts";

/** Where a unit's pod is. */
export type PodState =
  /** Waits for the agent. */
  | { readonly kind: "gated" }
  /** Waits for a machine, an image, or a volume. */
  | { readonly kind: "pending"; readonly why: string }
  | { readonly kind: "running" }
  /** Taken away by the cluster: the Job makes another one. */
  | { readonly kind: "lost" }
  | { readonly kind: "ended"; readonly code: number; readonly memory: boolean; readonly timeout: boolean };

const SIGKILLED = 137;
/** Reasons of a container that will not start however long one waits. */
const HOPELESS = new Set(["InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "RunContainerError"]);

/** Reads a pod's state. Pure. */
export function stateOf(pod: V1Pod): PodState {
  const { status, spec } = pod;
  const unit = status?.containerStatuses?.find(({ name }) => name === NAMES.container);
  const terminated = unit?.state?.terminated;
  const conditions = status?.conditions ?? [];
  const over = status?.phase === "Succeeded" || status?.phase === "Failed";
  if (over || terminated) {
    const code = terminated?.exitCode ?? SIGKILLED;
    const disrupted = conditions.some(({ type, status: yes }) => type === "DisruptionTarget" && yes === "True");
    if (code !== 0 && disrupted) return { kind: "lost" };
    return {
      kind: "ended",
      code,
      memory: terminated?.reason === "OOMKilled",
      timeout: status?.reason === "DeadlineExceeded",
    };
  }
  if ((spec?.schedulingGates ?? []).some(({ name }) => name === NAMES.gate)) return { kind: "gated" };
  if (status?.phase === "Running") return { kind: "running" };
  const waiting = unit?.state?.waiting;
  const unscheduled = conditions.find(({ type, status: yes }) => type === "PodScheduled" && yes === "False");
  return {
    kind: "pending",
    why: [waiting?.reason, waiting?.message, unscheduled?.message].filter((each) => each !== undefined).join(": "),
  };
}

/** Whether a pending pod will never start. */
export function isHopeless(pod: V1Pod): boolean {
  const unit = pod.status?.containerStatuses?.find(({ name }) => name === NAMES.container);
  return HOPELESS.has(unit?.state?.waiting?.reason ?? "");
}

/** The pod of a Job's index that counts: the youngest one. */
export function podOfIndex(pods: readonly V1Pod[], job: string, index: number): V1Pod | undefined {
  const born = (pod: V1Pod) => new Date(pod.metadata?.creationTimestamp ?? 0).getTime();
  return pods
    .filter((pod) => completionIndexOf(pod) === index && ownerOf(pod) === job)
    .sort((a, b) => born(b) - born(a))[0];
}

/** Name of the Job that a pod belongs to. */
export function ownerOf(pod: V1Pod): string | undefined {
  return pod.metadata?.ownerReferences?.find(({ kind }) => kind === "Job")?.name;
}
