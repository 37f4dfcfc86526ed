import { join } from "node:path";

import { writeFileAtomically } from "../../checkpoints.ts";
import type { ExchangeConfig, TrainingConfig } from "./config.ts";
import type { Samples } from "./data.ts";
import { encodeModel, sha256 } from "./model-file.ts";
import { type Network, Trainee } from "./network.ts";

/** Names of a unit's outputs: what a task spec's `outputs` lists. */
export const OUTPUTS = ["model.bin", "metrics.json"] as const;

/** `metrics.json`. The same however often the unit was interrupted, and wherever it ran: no times, no names. */
export interface Metrics {
  readonly trainer: "digits";
  /** Share of the test images that the model recognises. */
  readonly accuracy: number;
  /** Mean loss on the test images, nats; null if the training diverged beyond what numbers can hold. */
  readonly loss: number | null;
  /** Mean loss on the training images during each epoch, nats; null as above. Empty where units train one model. */
  readonly trainingLosses: readonly (number | null)[];
  readonly epochs: number;
  readonly config: TrainingConfig;
  /** How units have trained one model; absent if each has trained its own. */
  readonly exchange?: Trained["exchange"];
  /** SHA-256 of `model.bin`, hex. */
  readonly weightsSha256: string;
}

/** What was trained, and how. */
export interface Trained {
  readonly network: Network;
  readonly epochs: number;
  readonly losses: readonly number[];
  readonly exchange?: ExchangeConfig & { readonly rounds: number };
}

/** Tests the network, and writes `model.bin` (see {@link encodeModel}), then `metrics.json`. */
export async function writeResult(
  directory: string,
  config: TrainingConfig,
  { network, epochs, losses, exchange }: Trained,
  test: Samples,
): Promise<Metrics> {
  const { accuracy, loss } = new Trainee(network).evaluate(test);
  const model = encodeModel(network);
  const metrics: Metrics = {
    trainer: "digits",
    accuracy,
    loss,
    trainingLosses: losses,
    epochs,
    config,
    ...(exchange === undefined ? {} : { exchange }),
    weightsSha256: sha256(model),
  };
  await writeFileAtomically(join(directory, "model.bin"), model);
  await writeFileAtomically(join(directory, "metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
  return metrics;
}
