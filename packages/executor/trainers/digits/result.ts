import { join } from "node:path";

import { writeFileAtomically } from "../../checkpoints.ts";
import type { TrainingConfig } from "./config.ts";
import type { Samples } from "./data.ts";
import { encodeModel, sha256 } from "./model-file.ts";
import { Trainee } from "./network.ts";
import type { TrainingState } from "./training.ts";

/** Names of a unit's outputs: what a task spec's `outputs` lists. */
export const OUTPUTS = ["model.bin", "metrics.json"] as const;

/** `metrics.json`. The same however often the unit was interrupted, and wherever it ran: no times, no names. */
export interface Metrics {
  readonly trainer: "digits";
  /** Share of the test images that the model recognises. */
  readonly accuracy: number;
  /** Mean loss on the test images, nats; null if the training diverged beyond what numbers can hold. */
  readonly loss: number | null;
  /** Mean loss on the training images during each epoch, nats; null as above. */
  readonly trainingLosses: readonly (number | null)[];
  readonly epochs: number;
  readonly config: TrainingConfig;
  /** SHA-256 of `model.bin`, hex. */
  readonly weightsSha256: string;
}

/** Tests the network, and writes `model.bin` (see {@link encodeModel}), then `metrics.json`. */
export async function writeResult(
  directory: string,
  config: TrainingConfig,
  state: TrainingState,
  test: Samples,
): Promise<Metrics> {
  const { accuracy, loss } = new Trainee(state.network).evaluate(test);
  const model = encodeModel(state.network);
  const metrics: Metrics = {
    trainer: "digits",
    accuracy,
    loss,
    trainingLosses: state.losses,
    epochs: state.epoch,
    config,
    weightsSha256: sha256(model),
  };
  await writeFileAtomically(join(directory, "model.bin"), model);
  await writeFileAtomically(join(directory, "metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
  return metrics;
}
