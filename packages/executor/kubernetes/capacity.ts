import type { V1Node, V1Pod } from "@kubernetes/client-node";

/** What a unit needs, or a machine has. Memory in MiB. */
export interface Room {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** Pods. */
  readonly pods: number;
}

/** Kubernetes' quantities, such as "250m", "1.5", "64Mi" or "1e3". @returns a number in base units; NaN if it is none. */
export function quantity(text: string | undefined): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.exec(text ?? "0");
  if (!match) return NaN;
  const [, digits, suffix = ""] = match;
  const factor =
    suffix.length === 2
      ? 1024 ** ("KMGTPE".indexOf(suffix.charAt(0)) + 1)
      : suffix === ""
        ? 1
        : 1000 ** (["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].indexOf(suffix) - 3);
  return Number(digits) * factor;
}

/**
 * Units that a cluster could take beside what runs there: for each machine that takes pods, what is left of what it can
 * give, in whole units. Pure; O(machines + pods).
 *
 * @param pods All pods of the cluster; those that have ended hold nothing, those without a machine wait for one.
 * @param selector Labels that a machine needs to have.
 */
export function unitsThatFit(
  nodes: readonly V1Node[],
  pods: readonly V1Pod[],
  unit: Room,
  selector: Readonly<Record<string, string>> = {},
  gpuResource = "nvidia.com/gpu",
): number {
  const used = new Map<string, Room>();
  for (const pod of pods) {
    const name = pod.spec?.nodeName;
    if (name === undefined || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
    used.set(name, add(used.get(name) ?? NOTHING, requestOf(pod, gpuResource)));
  }
  let units = 0;
  for (const node of nodes) {
    if (!takesPods(node, selector)) continue;
    const has = roomOf(node.status?.allocatable ?? {}, gpuResource);
    const taken = used.get(node.metadata?.name ?? "") ?? NOTHING;
    const left = KEYS.map((key) => (unit[key] > 0 ? Math.floor((has[key] - taken[key]) / unit[key] + 1e-9) : Infinity));
    units += Math.max(0, Math.min(...left));
  }
  return units;
}

const KEYS = ["cpus", "memoryMiB", "gpus", "pods"] as const;
const NOTHING: Room = { cpus: 0, memoryMiB: 0, gpus: 0, pods: 0 };

function takesPods(node: V1Node, selector: Readonly<Record<string, string>>): boolean {
  const ready = node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  // Units tolerate no taints.
  const tainted = (node.spec?.taints ?? []).some(({ effect }) => effect === "NoSchedule" || effect === "NoExecute");
  const labels = node.metadata?.labels ?? {};
  const fits = Object.entries(selector).every(([name, value]) => labels[name] === value);
  return ready && !tainted && node.spec?.unschedulable !== true && fits;
}

/** What a pod asks for: its containers together, or its largest init container if that is more. */
function requestOf(pod: V1Pod, gpuResource: string): Room {
  const of = (resources: Record<string, string> | undefined) => roomOf(resources ?? {}, gpuResource);
  const containers = (pod.spec?.containers ?? []).map(({ resources }) => of(resources?.requests)).reduce(add, NOTHING);
  const init = (pod.spec?.initContainers ?? []).map(({ resources }) => of(resources?.requests));
  const most = (key: keyof Room) => Math.max(containers[key], ...init.map((each) => each[key]));
  return { cpus: most("cpus"), memoryMiB: most("memoryMiB"), gpus: most("gpus"), pods: 1 };
}

function roomOf(resources: Record<string, string>, gpuResource: string): Room {
  return {
    cpus: quantity(resources["cpu"]),
    memoryMiB: quantity(resources["memory"]) / 2 ** 20,
    gpus: quantity(resources[gpuResource]),
    pods: quantity(resources["pods"]),
  };
}

function add(a: Room, b: Room): Room {
  return { cpus: a.cpus + b.cpus, memoryMiB: a.memoryMiB + b.memoryMiB, gpus: a.gpus + b.gpus, pods: a.pods + b.pods };
}
