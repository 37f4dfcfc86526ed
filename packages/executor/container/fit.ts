import { WorkloadError } from "../errors.ts";
import type { TaskSpec } from "../spec.ts";

/** What a node with containers has to offer. */
export interface ContainerOffer {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** GPUs for rent. */
  readonly gpus: number;
  readonly trainers: readonly string[];
  readonly trainerImage: boolean;
  readonly network: boolean;
  /** MiB of /tmp that a unit may ask for. */
  readonly scratchMiB?: number;
}

/** Why a spec is not run in a container here, with the remedy; undefined if it is. */
export function containerRefusal(spec: TaskSpec, offer: ContainerOffer): string | undefined {
  const { cpus, memoryMiB, gpus } = spec.resources;
  if (spec.trainer !== undefined && !offer.trainers.includes(spec.trainer)) {
    return `This node has no trainer "${spec.trainer}": update its agent, or name one of ${offer.trainers.join(", ")}.`;
  }
  if (spec.trainer !== undefined && !offer.trainerImage) {
    return (
      `This node runs programs in containers, and has no image for built-in trainers: have its owner set ` +
      `executor.trainerImage, or name an image.`
    );
  }
  if (spec.network === "outbound" && !offer.network) {
    return 'The task wants the network, which this node does not give: set network to "none", and name inputs by CID.';
  }
  if (gpus > offer.gpus) {
    return `The task wants ${gpus} GPUs for a unit, but this node rents out ${offer.gpus}: lower resources.gpus.`;
  }
  if (cpus > offer.cpus || memoryMiB > offer.memoryMiB) {
    return (
      `The task wants ${cpus} CPUs and ${memoryMiB} MiB for a unit, but this node has ${offer.cpus} CPUs and ` +
      `${offer.memoryMiB} MiB: lower resources.cpus or resources.memoryMiB.`
    );
  }
  return scratchRefusal(spec, offer.scratchMiB);
}

/** Why a spec's /tmp is not for this node, with the remedy; undefined if it is. @param scratchMiB Largest; undefined: any. */
export function scratchRefusal({ resources }: TaskSpec, scratchMiB = Infinity): string | undefined {
  const { ephemeralMiB = 0 } = resources;
  if (ephemeralMiB <= scratchMiB) return undefined;
  return (
    `The task wants ${ephemeralMiB} MiB for /tmp, but this node gives a unit ${scratchMiB} MiB: lower ` +
    `resources.ephemeralMiB, or have the node's owner raise executor.scratchMiB.`
  );
}

/**
 * Whom programs run as: never root. An agent that is not root itself can give files to nobody else, so its programs run
 * as its own user.
 *
 * @param told `uid:gid` from the configuration.
 * @throws {@link WorkloadError} `REFUSED`
 */
export function userFor(told: string | undefined, uid: number, gid: number, fallback: string): string {
  const user = told ?? (uid === 0 ? fallback : `${uid}:${gid}`);
  const [toldUid, toldGid] = user.split(":").map(Number);
  if (!/^\d{1,10}:\d{1,10}$/.test(user) || toldUid === 0 || toldGid === 0) {
    throw new WorkloadError(
      "REFUSED",
      `executor.user is "${user}": name it "uid:gid" in numbers, neither of them root.`,
    );
  }
  if (uid !== 0 && toldUid !== uid) {
    throw new WorkloadError(
      "REFUSED",
      `executor.user is "${user}", but the agent runs as ${uid}, and could not give it files: leave it out.`,
    );
  }
  return user;
}
