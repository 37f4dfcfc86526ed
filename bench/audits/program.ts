import { createHash } from "node:crypto";

import type { TraceLeaf } from "@verai/protocol/audits/trace";

/** Sizes of the program, and of a segment of it. */
export const PROGRAM = {
  /** Weights of the model. */
  weights: 4,
  /** Samples of the data, of which each step takes a batch. */
  samples: 32,
  batch: 8,
  /** Steps of a segment: four epochs. */
  steps: 16,
  /** Steps between two local checkpoints, which are the leaves of a segment's trace. */
  leafEvery: 2,
} as const;

/** Steps of one pass over the data. */
export const EPOCH = PROGRAM.samples / PROGRAM.batch;

/** State of a unit: all that its program goes on from. */
export interface State {
  /** Steps done. */
  readonly step: number;
  readonly weights: readonly number[];
  readonly velocity: readonly number[];
}

/** Data of a unit: the samples that it trains on. */
export interface Data {
  readonly inputs: readonly (readonly number[])[];
  readonly targets: readonly number[];
}

const RATE = 0.05;
const MOMENTUM = 0.9;

/** The data of a unit of a task: noisy values of a linear function. The same `variant` is the same data. */
export function dataOf(taskId: number, unit: number, variant = 0): Data {
  const next = numbers(taskId * 65_537 + unit * 257 + variant + 1);
  const truth = Array.from({ length: PROGRAM.weights }, next);
  const inputs = Array.from({ length: PROGRAM.samples }, () => truth.map(next));
  const targets = inputs.map((input) => dot(input, truth) + 0.1 * next());
  return { inputs, targets };
}

/** The state that a unit begins with. */
export function initialState(unit: number): State {
  const next = numbers(unit + 1);
  const weights = Array.from({ length: PROGRAM.weights }, () => 0.1 * next());
  return { step: 0, weights, velocity: weights.map(() => 0) };
}

/**
 * One step of gradient descent with momentum. It adds and multiplies only, in one order, so that it has the same bits
 * everywhere.
 */
export function train({ step, weights, velocity }: State, { inputs, targets }: Data): State {
  const first = (step % EPOCH) * PROGRAM.batch;
  const gradient = weights.map(() => 0);
  for (let sample = first; sample < first + PROGRAM.batch; sample++) {
    const input = inputs[sample] ?? [];
    const error = dot(input, weights) - (targets[sample] ?? 0);
    for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] ?? 0) + error * (input[i] ?? 0);
  }
  const moved = velocity.map((speed, i) => MOMENTUM * speed - (RATE / PROGRAM.batch) * (gradient[i] ?? 0));
  return { step: step + 1, weights: weights.map((weight, i) => weight + (moved[i] ?? 0)), velocity: moved };
}

/** Mean squared error of a state. */
export function lossOf({ weights }: State, { inputs, targets }: Data): number {
  return inputs.reduce((sum, input, i) => sum + (dot(input, weights) - (targets[i] ?? 0)) ** 2, 0) / inputs.length;
}

/** sha2-256 of a state's bytes, as a word in hexadecimal. */
export function digestOf({ step, weights, velocity }: State): string {
  const bytes = new DataView(new ArrayBuffer(8 * (1 + weights.length + velocity.length)));
  [step, ...weights, ...velocity].forEach((value, i) => {
    bytes.setFloat64(8 * i, value);
  });
  return `0x${createHash("sha256").update(new Uint8Array(bytes.buffer)).digest("hex")}`;
}

/** The leaf of a state. */
export function leafOf(state: State): TraceLeaf {
  return { step: state.step, digest: digestOf(state) };
}

/** The states of a segment at its local checkpoints, the last one being its end. O(steps). */
export function segmentFrom(before: State, data: Data, steps: number = PROGRAM.steps): State[] {
  const states: State[] = [];
  let state = before;
  for (let done = 1; done <= steps; done++) {
    state = train(state, data);
    if (done % PROGRAM.leafEvery === 0) states.push(state);
  }
  return states;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Numbers from -1 to 1: a linear congruential generator of 32 bits. */
function numbers(seed: number): () => number {
  let word = seed >>> 0;
  return () => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    return word / 2 ** 31 - 1;
  };
}
