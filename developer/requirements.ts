import { ChainError } from "@verai/client/errors";
import { builtInTrainers } from "@verai/executor/trainers/registry";
import type { TaskSpec } from "@verai/executor/spec";

/** What is needed of a task to say whether any node could run it. */
export interface Wanted {
  /** Names of the classes that it accepts. */
  readonly classes: readonly string[];
  /** Seconds between two checkpoints on the chain. */
  readonly checkpointInterval: number;
  /** Trainers beside the built-in ones that nodes are known to have. */
  readonly trainers?: readonly string[];
}

/** Whether machines of a class have GPUs, by its name. */
function gpuClass(name: string): boolean {
  return /^gpu(-|\/|$)/.test(name);
}

/**
 * Refuses a task that no node of its classes could run, before anything is paid for: a built-in trainer that does not
 * exist, GPUs of a class that has none, checkpoints that come too rarely. Pure.
 *
 * @throws ChainError `UNKNOWN_TRAINER`, `NO_GPUS` or `TOO_RARE_CHECKPOINTS`, with value, bound and remedy.
 */
export function requireRunnable(
  spec: Pick<TaskSpec, "trainer" | "resources" | "checkpoint">,
  { classes, checkpointInterval, trainers = [] }: Wanted,
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
  const without = classes.filter((name) => !gpuClass(name));
  if (gpus > 0 && without.length > 0) {
    throw new ChainError(
      "NO_GPUS",
      false,
      `The spec asks for ${String(gpus)} GPU${gpus === 1 ? "" : "s"} a unit (resources.gpus), but machines of ${without.join(", ")} ` +
        "have none: accept classes that begin with gpu- alone, or set resources.gpus to 0.",
    );
  }
  requireCadence(spec, checkpointInterval);
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
