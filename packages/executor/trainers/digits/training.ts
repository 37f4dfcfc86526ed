import { setImmediate as yieldToEvents } from "node:timers/promises";

import type { TrainingConfig } from "./config.ts";
import type { Samples } from "./data.ts";
import { type Network, parameterCount, randomNetwork, Trainee } from "./network.ts";
import { Random, type RandomState } from "./random.ts";

/** Everything that the rest of a training depends on: what a checkpoint holds. */
export interface TrainingState {
  readonly network: Network;
  /** Momentum's memory, as long as the network's numbers. */
  readonly velocity: Float32Array;
  /** The generator before it shuffled the samples for the present epoch. */
  random: RandomState;
  /** Epochs that are complete. */
  epoch: number;
  /** Steps taken in the present epoch. */
  step: number;
  /** Sum of the losses of the present epoch's samples so far. */
  lossSum: number;
  /** Mean loss per complete epoch. */
  readonly losses: number[];
}

/** Where every training with this configuration starts. */
export function initialState(config: TrainingConfig): TrainingState {
  const random = Random.seeded(config.seed);
  const network = randomNetwork(config.hidden, random);
  return {
    network,
    velocity: new Float32Array(parameterCount(config.hidden)),
    random: random.state,
    epoch: 0,
    step: 0,
    lossSum: 0,
    losses: [],
  };
}

/** Steps of one epoch; the last one may have fewer samples. */
export function stepsPerEpoch({ train, batch }: TrainingConfig): number {
  return Math.ceil(train / batch);
}

/** Steps taken since the start. */
export function stepsDone(config: TrainingConfig, { epoch, step }: TrainingState): number {
  return epoch * stepsPerEpoch(config) + step;
}

/** Share of the steps that are taken, 0 … 1. */
export function progressOf(config: TrainingConfig, state: TrainingState): number {
  return stepsDone(config, state) / (config.epochs * stepsPerEpoch(config));
}

/**
 * Trains on from a state, changing it in place, until all epochs are done. The steps are the same from wherever it
 * starts: an interrupted training ends with the very bits of an uninterrupted one.
 *
 * @param afterStep Called between steps, when the state is consistent; returns false to stop there.
 */
export async function train(
  config: TrainingConfig,
  samples: Samples,
  state: TrainingState,
  afterStep: (state: TrainingState) => Promise<boolean>,
): Promise<void> {
  const trainee = new Trainee(state.network);
  const steps = stepsPerEpoch(config);
  while (state.epoch < config.epochs) {
    const random = new Random(state.random);
    const order = random.permutation(samples.count);
    while (state.step < steps) {
      const batch = order.subarray(state.step * config.batch, (state.step + 1) * config.batch);
      state.lossSum += trainee.step(samples, batch, state.velocity, config);
      state.step += 1;
      if (state.step === steps) {
        state.losses.push(state.lossSum / samples.count);
        Object.assign(state, { epoch: state.epoch + 1, step: 0, lossSum: 0, random: random.state });
      }
      // Lets signals in, and the news that the agent is gone.
      await yieldToEvents();
      if (!(await afterStep(state))) return;
      if (state.step === 0) break;
    }
  }
}
