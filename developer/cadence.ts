import { ChainError } from "@verai/client/errors";
import type { TaskSpec } from "@verai/executor/spec";

/**
 * Refuses a task whose program means to write checkpoints more rarely than the chain wants them: no node could post them
 * in time, and each would give its lease back.
 *
 * @param checkpointInterval Seconds between two checkpoints on the chain, from the task's terms.
 * @throws ChainError `TOO_RARE_CHECKPOINTS`.
 */
export function requireCadence({ checkpoint }: Pick<TaskSpec, "checkpoint">, checkpointInterval: number): void {
  const { intervalSeconds } = checkpoint;
  if (intervalSeconds <= checkpointInterval) return;
  throw new ChainError(
    "TOO_RARE_CHECKPOINTS",
    false,
    `The spec's program writes a checkpoint every ${String(intervalSeconds)} s (checkpoint.intervalSeconds), but the task ` +
      `asks for one every ${String(checkpointInterval)} s. Have the program write them more often, or raise the task's interval.`,
  );
}
