import { setImmediate as yieldToEvents } from "node:timers/promises";

import type { ExchangeConfig, TrainingConfig } from "./config.ts";
import type { Samples } from "./data.ts";
import { decodeModel, encodeModel } from "./model-file.ts";
import { type Network, parameterCount, Trainee } from "./network.ts";
import { Random } from "./random.ts";
import { initialState, stepsPerEpoch } from "./training.ts";

/** The state that all units share after a round: what a state file holds. */
export interface OuterState {
  readonly network: Network;
  /** Memory of the step over all contributions. */
  readonly velocity: Float32Array;
}

/** Which part of the work a unit does. */
export interface Share {
  readonly unitIndex: number;
  readonly unitCount: number;
}

/** The state before the first round. */
export function firstState(config: TrainingConfig): OuterState {
  return { network: initialState(config).network, velocity: new Float32Array(parameterCount(config.hidden)) };
}

/** Rounds in which all units together take as many steps as one would in all epochs; the last one is whole. */
export function roundCount(config: TrainingConfig, { every }: ExchangeConfig, unitCount: number): number {
  return Math.ceil((config.epochs * stepsPerEpoch(config)) / (every * unitCount));
}

/**
 * A unit's steps of one round. They follow from the state before, the round and the unit alone: momentum begins at zero, and
 * the batches are dealt out among the units in turn. So what a unit contributes is the same wherever, and however often, it is
 * trained.
 *
 * @param afterStep Called between steps, with how many are done; false stops there.
 * @returns What the steps have changed of the weights; undefined if it was stopped.
 */
export async function trainRound(
  config: TrainingConfig,
  { every }: ExchangeConfig,
  samples: Samples,
  before: OuterState,
  round: number,
  { unitIndex, unitCount }: Share,
  afterStep: (done: number) => Promise<boolean>,
): Promise<Float32Array | undefined> {
  const began = before.network.parameters;
  const network: Network = { hidden: config.hidden, parameters: began.slice() };
  const trainee = new Trainee(network);
  const velocity = new Float32Array(began.length);
  const steps = stepsPerEpoch(config);
  let order: { readonly epoch: number; readonly indices: Uint32Array } | undefined;
  for (let step = 0; step < every; step++) {
    const batch = ((round - 1) * every + step) * unitCount + unitIndex;
    const epoch = Math.floor(batch / steps);
    if (order?.epoch !== epoch) order = { epoch, indices: orderOf(config, epoch, samples.count) };
    const at = (batch % steps) * config.batch;
    trainee.step(samples, order.indices.subarray(at, at + config.batch), velocity, config);
    // Lets signals in, and the news that the agent is gone.
    await yieldToEvents();
    if (!(await afterStep(step + 1))) return undefined;
  }
  return network.parameters.map((weight, i) => weight - began[i]!);
}

/**
 * The state after a round: the mean of the contributions, in their order, as one step with Nesterov's momentum.
 *
 * @param contributions Each as long as the network's numbers.
 */
export function applyRound(
  { outerRate, outerMomentum }: ExchangeConfig,
  before: OuterState,
  contributions: readonly Float32Array[],
): OuterState {
  const parameters = before.network.parameters.slice();
  const velocity = before.velocity.slice();
  for (let i = 0; i < parameters.length; i++) {
    let sum = 0;
    for (const contribution of contributions) sum += contribution[i]!;
    const mean = sum / contributions.length;
    velocity[i] = outerMomentum * velocity[i]! + mean;
    parameters[i]! += outerRate * (mean + outerMomentum * velocity[i]!);
  }
  return { network: { hidden: before.network.hidden, parameters }, velocity };
}

/** A state as a file: the network and the velocity, one after the other, each as {@link encodeModel} makes it. */
export function encodeState({ network, velocity }: OuterState): Buffer {
  return Buffer.concat([encodeModel(network), encodeModel({ hidden: network.hidden, parameters: velocity })]);
}

/** The other way round. @throws Error if it is no state of this configuration's network, or has numbers that are not finite. */
export function decodeState(bytes: Uint8Array, { hidden }: TrainingConfig): OuterState {
  const half = bytes.length / 2;
  const [network, velocity] = [decodeModel(bytes.subarray(0, half)), decodeModel(bytes.subarray(half))];
  if (network.hidden !== hidden || velocity.hidden !== hidden) throw new Error("it is of a network of another size");
  if (![network, velocity].every(({ parameters }) => parameters.every(Number.isFinite))) {
    throw new Error("it has numbers that are not finite");
  }
  return { network, velocity: velocity.parameters };
}

/** A contribution as bytes: each number as float32, little-endian. */
export function encodeContribution(contribution: Float32Array): Uint8Array {
  return new Uint8Array(contribution.buffer, contribution.byteOffset, contribution.byteLength);
}

/** The other way round. @throws Error if it has another length, or numbers that are not finite. */
export function decodeContribution(bytes: Uint8Array, { hidden }: TrainingConfig): Float32Array {
  const length = 4 * parameterCount(hidden);
  if (bytes.length !== length) throw new Error(`a contribution has ${bytes.length} instead of ${length} bytes`);
  const numbers = new Float32Array(Uint8Array.from(bytes).buffer);
  if (!numbers.every(Number.isFinite)) throw new Error("a contribution has numbers that are not finite");
  return numbers;
}

/** The order of an epoch's samples. */
function orderOf({ seed }: TrainingConfig, epoch: number, count: number): Uint32Array {
  return Random.seeded((seed + Math.imul(epoch + 1, 0x9e3779b1)) | 0).permutation(count);
}
