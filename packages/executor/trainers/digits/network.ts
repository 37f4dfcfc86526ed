import { exp, log, squareRoot } from "./arithmetic.ts";
import { CLASSES, PIXELS, type Samples } from "./data.ts";
import type { Random } from "./random.ts";

/**
 * A network of {@link PIXELS} inputs, `hidden` rectified units and {@link CLASSES} outputs. All its numbers lie in one
 * array, in this order: weights of the first layer [input][hidden], biases of the hidden units, weights of the second
 * layer [hidden][output], biases of the outputs.
 */
export interface Network {
  readonly hidden: number;
  readonly parameters: Float32Array;
}

/** How many numbers a network of so many hidden units has. */
export function parameterCount(hidden: number): number {
  return PIXELS * hidden + hidden + hidden * CLASSES + CLASSES;
}

/** A network with random weights, uniform and scaled to their layer's inputs (He), and biases of zero. */
export function randomNetwork(hidden: number, random: Random): Network {
  const parameters = new Float32Array(parameterCount(hidden));
  const fill = (layer: Float32Array, inputs: number) => {
    const bound = squareRoot(6 / inputs);
    for (let i = 0; i < layer.length; i++) layer[i] = (2 * random.fraction() - 1) * bound;
  };
  const { first, second } = layersOf(hidden, parameters);
  fill(first, PIXELS);
  fill(second, hidden);
  return { hidden, parameters };
}

/** Views of the parts of a network's numbers. */
function layersOf(hidden: number, parameters: Float32Array) {
  const firstBias = PIXELS * hidden;
  const second = firstBias + hidden;
  const secondBias = second + hidden * CLASSES;
  return {
    first: parameters.subarray(0, firstBias),
    firstBias: parameters.subarray(firstBias, second),
    second: parameters.subarray(second, secondBias),
    secondBias: parameters.subarray(secondBias),
  };
}

/**
 * Runs a network, and trains it. Every sum is taken in one fixed order, and stored numbers are rounded to 32 bits, so
 * that the same steps give the same bits in every run and on every machine.
 */
export class Trainee {
  readonly #network: Network;
  readonly #layers: ReturnType<typeof layersOf>;
  readonly #gradient: Float32Array;
  readonly #gradients: ReturnType<typeof layersOf>;
  readonly #activity: Float32Array;
  readonly #outputs = new Float64Array(CLASSES);
  readonly #blame: Float32Array;

  constructor(network: Network) {
    const { hidden, parameters } = network;
    this.#network = network;
    this.#layers = layersOf(hidden, parameters);
    this.#gradient = new Float32Array(parameters.length);
    this.#gradients = layersOf(hidden, this.#gradient);
    this.#activity = new Float32Array(hidden);
    this.#blame = new Float32Array(hidden);
  }

  /**
   * One step of stochastic gradient descent with momentum, v ← μ·v − η·g, w ← w + v, over some samples.
   *
   * @param velocity v, changed in place; as long as the network's numbers.
   * @param batch Indices of the samples.
   * @returns Sum of the samples' losses before the step.
   */
  step(
    samples: Samples,
    batch: Uint32Array,
    velocity: Float32Array,
    { learningRate, momentum }: { readonly learningRate: number; readonly momentum: number },
  ): number {
    const gradient = this.#gradient;
    gradient.fill(0);
    let loss = 0;
    for (const index of batch) {
      loss += this.#forward(samples, index);
      this.#backward(samples, index);
    }
    const { parameters } = this.#network;
    const rate = learningRate / batch.length;
    for (let i = 0; i < parameters.length; i++) {
      const v = momentum * velocity[i]! - rate * gradient[i]!;
      velocity[i] = v;
      parameters[i]! += v;
    }
    return loss;
  }

  /** Share of the samples that it recognises, and the mean loss (cross-entropy, nats). */
  evaluate(samples: Samples): { accuracy: number; loss: number } {
    let [right, loss] = [0, 0];
    for (let index = 0; index < samples.count; index++) {
      loss += this.#forward(samples, index);
      const outputs = this.#outputs;
      if (outputs.indexOf(Math.max(...outputs)) === samples.labels[index]) right += 1;
    }
    return { accuracy: right / samples.count, loss: loss / samples.count };
  }

  /** Computes activity and outputs (probabilities) for a sample, and returns its loss. */
  #forward({ pixels, labels }: Samples, index: number): number {
    const { first, firstBias, second, secondBias } = this.#layers;
    const [activity, outputs, hidden] = [this.#activity, this.#outputs, this.#network.hidden];
    activity.set(firstBias);
    for (let p = 0; p < PIXELS; p++) {
      const pixel = pixels[index * PIXELS + p]!;
      // Four pixels of five are black.
      if (pixel === 0) continue;
      const row = p * hidden;
      for (let h = 0; h < hidden; h++) activity[h]! += pixel * first[row + h]!;
    }
    outputs.set(secondBias);
    for (let h = 0; h < hidden; h++) {
      const active = activity[h]!;
      if (active <= 0) {
        activity[h] = 0;
        continue;
      }
      for (let o = 0; o < CLASSES; o++) outputs[o]! += active * second[h * CLASSES + o]!;
    }
    const highest = Math.max(...outputs);
    let sum = 0;
    for (let o = 0; o < CLASSES; o++) sum += outputs[o] = exp(outputs[o]! - highest);
    for (let o = 0; o < CLASSES; o++) outputs[o]! /= sum;
    // The smallest double keeps a hopelessly wrong answer's loss finite.
    return -log(Math.max(outputs[labels[index]!]!, Number.MIN_VALUE));
  }

  /** Adds the sample's gradient, right after {@link #forward}. */
  #backward({ pixels, labels }: Samples, index: number): void {
    const { second } = this.#layers;
    const gradients = this.#gradients;
    const [activity, outputs, blame, hidden] = [this.#activity, this.#outputs, this.#blame, this.#network.hidden];
    outputs[labels[index]!]! -= 1;
    for (let o = 0; o < CLASSES; o++) gradients.secondBias[o]! += outputs[o]!;
    for (let h = 0; h < hidden; h++) {
      const active = activity[h]!;
      let sum = 0;
      if (active > 0) {
        for (let o = 0; o < CLASSES; o++) {
          gradients.second[h * CLASSES + o]! += active * outputs[o]!;
          sum += second[h * CLASSES + o]! * outputs[o]!;
        }
      }
      blame[h] = sum;
      gradients.firstBias[h]! += sum;
    }
    for (let p = 0; p < PIXELS; p++) {
      const pixel = pixels[index * PIXELS + p]!;
      if (pixel === 0) continue;
      const row = p * hidden;
      for (let h = 0; h < hidden; h++) gradients.first[row + h]! += pixel * blame[h]!;
    }
  }
}
