import { ChainError } from "@verai/client/errors";
import { builtInTrainers } from "@verai/executor/trainers/registry";
import type { TaskSpec } from "@verai/executor/spec";

/** What is needed of a task to say whether any node could run it. */
export interface Wanted {
  /** Names of the classes that it accepts. */
  readonly classes: readonly string[];
  /** Seconds between two checkpoints on the chain. */
  readonly checkpointInterval: number;
  /** Chance of audits that the developer asks for, basis points; left out: the default, which fits the spec. */
  readonly auditChance?: number | undefined;
  /** Trainers beside the built-in ones that nodes are known to have. */
  readonly trainers?: readonly string[];
}

/** GPUs of a class's machines, by its name: `gpu-80g/eu`, or `gpu-80g-x8/eu` where a unit may have eight of them. */
interface ClassGpus {
  /** GB of each; undefined if the name does not say. */
  readonly gigabytes?: number;
  /** How many a unit may have; undefined if the name does not say. */
  readonly count?: number;
}

/** What a class's name says about GPUs; undefined if its machines have none. */
function gpusOf(name: string): ClassGpus | undefined {
  const [kind = ""] = name.split("/");
  if (!/^gpu(-|$)/.test(kind)) return undefined;
  const gigabytes = /^gpu-(\d+)g/.exec(kind)?.[1];
  const count = /-x(\d+)$/.exec(kind)?.[1];
  return {
    ...(gigabytes === undefined ? {} : { gigabytes: Number(gigabytes) }),
    ...(count === undefined ? {} : { count: Number(count) }),
  };
}

/**
 * Refuses a task that no node of its classes could run, before anything is paid for: a built-in trainer that does not
 * exist, GPUs of a class that has none, fewer or smaller ones, checkpoints that come too rarely, audits of states that are not
 * numbered. Pure.
 *
 * @throws ChainError `UNKNOWN_TRAINER`, `NO_GPUS`, `TOO_FEW_GPUS`, `SMALL_GPUS`, `TOO_RARE_CHECKPOINTS` or `UNTRACEABLE_STEPS`, with value, bound and remedy.
 */
export function requireRunnable(
  spec: Pick<TaskSpec, "trainer" | "resources" | "checkpoint">,
  { classes, checkpointInterval, auditChance = 0, trainers = [] }: Wanted,
): void {
  const known = [...builtInTrainers.keys(), ...trainers];
  if (spec.trainer !== undefined && !known.includes(spec.trainer)) {
    throw new ChainError(
      "UNKNOWN_TRAINER",
      false,
      `The spec names the built-in trainer "${spec.trainer}", but nodes have: ${known.join(", ")}. Correct the name, or ` +
        "name an image by digest.",
    );
  }
  const { gpus } = spec.resources;
  const without = classes.filter((name) => gpusOf(name) === undefined);
  if (gpus > 0 && without.length > 0) {
    throw new ChainError(
      "NO_GPUS",
      false,
      `The spec asks for ${String(gpus)} GPU${gpus === 1 ? "" : "s"} a unit (resources.gpus), but machines of ${without.join(", ")} ` +
        "have none: accept classes that begin with gpu- alone, or set resources.gpus to 0.",
    );
  }
  requireGpus(spec.resources, classes);
  requireCadence(spec, checkpointInterval);
  if (auditChance > 0 && spec.checkpoint.everySteps === undefined) {
    throw new ChainError(
      "UNTRACEABLE_STEPS",
      false,
      `The task asks for audits (a chance of ${String(auditChance / 100)} %), but its spec has no checkpoint.everySteps, so that no node could ` +
        "post a trace of its states. Name the steps from one local checkpoint to the next, or ask for no audits.",
    );
  }
}

/** @throws ChainError `TOO_FEW_GPUS` or `SMALL_GPUS` */
function requireGpus({ gpus, gpuMemoryMiB = 0 }: TaskSpec["resources"], classes: readonly string[]): void {
  if (gpus === 0) return;
  const fewer = classes.filter((name) => (gpusOf(name)?.count ?? Infinity) < gpus);
  if (fewer.length > 0) {
    throw new ChainError(
      "TOO_FEW_GPUS",
      false,
      `The spec asks for ${String(gpus)} GPUs a unit (resources.gpus), but a unit has fewer on machines of ${fewer.join(", ")}: ` +
        "lower resources.gpus, or accept classes with as many.",
    );
  }
  // Makers count in GB, and a little of it is not for programs.
  const smaller = classes.filter((name) => ((gpusOf(name)?.gigabytes ?? Infinity) * 1e9) / 2 ** 20 < gpuMemoryMiB);
  if (smaller.length === 0) return;
  throw new ChainError(
    "SMALL_GPUS",
    false,
    `The spec asks for GPUs of ${String(gpuMemoryMiB)} MiB (resources.gpuMemoryMiB), but those of ${smaller.join(", ")} have less: ` +
      "lower resources.gpuMemoryMiB, or accept classes of larger ones.",
  );
}

/**
 * Refuses a task whose program means to write checkpoints more rarely than the chain wants them: no node could post them
 * in time, and each would give its lease back.
 *
 * @param checkpointInterval Seconds between two checkpoints on the chain, from the task's terms.
 * @throws ChainError `TOO_RARE_CHECKPOINTS`.
 */
function requireCadence({ checkpoint }: Pick<TaskSpec, "checkpoint">, checkpointInterval: number): void {
  const { intervalSeconds } = checkpoint;
  if (intervalSeconds <= checkpointInterval) return;
  throw new ChainError(
    "TOO_RARE_CHECKPOINTS",
    false,
    `The spec's program writes a checkpoint every ${String(intervalSeconds)} s (checkpoint.intervalSeconds), but the task ` +
      `asks for one every ${String(checkpointInterval)} s. Have the program write them more often, or raise the task's interval.`,
  );
}
