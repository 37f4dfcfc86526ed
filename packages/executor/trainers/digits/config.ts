import { parseArgs } from "node:util";

import { CLASSES, IMAGES_PER_DIGIT } from "./data.ts";
import { MAX_HIDDEN } from "./model-file.ts";

/** A point of the grid: what units of a task differ in. */
export interface GridPoint {
  readonly learningRate: number;
  readonly momentum: number;
  readonly hidden: number;
  /** Samples per step. */
  readonly batch: number;
  /** Decides the first weights and the order of the samples. */
  readonly seed: number;
}

/** Everything that decides a unit's result, to the bit. */
export interface TrainingConfig extends GridPoint {
  readonly epochs: number;
  /** Images to train on and to test with. */
  readonly train: number;
  readonly test: number;
}

/** How units train one model: local steps, then a step of all together. Also decides the result, to the bit. */
export interface ExchangeConfig {
  /** Steps of a round. */
  readonly every: number;
  /** Rate and Nesterov momentum of the step over the average of the contributions. */
  readonly outerRate: number;
  readonly outerMomentum: number;
}

/** What a unit has to do. */
export interface UnitConfig {
  readonly training: TrainingConfig;
  /** Undefined: each unit trains a model of its own. */
  readonly exchange?: ExchangeConfig;
  /** Steps from one checkpoint to the next; has no influence on the result. */
  readonly checkpointSteps: number;
  /** Pause after each step, milliseconds; has no influence on the result. For trials: work that lasts without a load. */
  readonly pace: number;
  /** The same as a multiple of the step's processor time: a unit takes that share of a core, however busy the machine is. */
  readonly rest: number;
}

/** The arguments or the grid cannot be used. The message says what to correct in the task spec. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly standard: number;
}

/** Axes of the grid in the order in which units count through them, the last one fastest. */
const AXES: Readonly<Record<keyof GridPoint, Bounds>> = {
  learningRate: { min: 1e-6, max: 10, whole: false, standard: 0.05 },
  momentum: { min: 0, max: 0.999, whole: false, standard: 0.9 },
  hidden: { min: 1, max: MAX_HIDDEN, whole: true, standard: 64 },
  batch: { min: 1, max: 1024, whole: true, standard: 32 },
  seed: { min: 0, max: 0xffff_ffff, whole: true, standard: 1 },
};

const ARGUMENTS = {
  epochs: { min: 1, max: 10_000, whole: true, standard: 12 },
  train: { min: CLASSES, max: CLASSES * IMAGES_PER_DIGIT, whole: true, standard: 4000 },
  test: { min: CLASSES, max: CLASSES * IMAGES_PER_DIGIT, whole: true, standard: 1000 },
  "checkpoint-steps": { min: 1, max: 1_000_000, whole: true, standard: 250 },
  pace: { min: 0, max: 60_000, whole: true, standard: 0 },
  rest: { min: 0, max: 1000, whole: false, standard: 0 },
  "exchange-every": { min: 0, max: 1_000_000, whole: true, standard: 0 },
  "outer-rate": { min: 1e-6, max: 10, whole: false, standard: 0.7 },
  "outer-momentum": { min: 0, max: 0.999, whole: false, standard: 0.5 },
} satisfies Readonly<Record<string, Bounds>>;

/**
 * A unit's configuration from the task spec's `args` (`--epochs`, `--train`, `--test`, `--checkpoint-steps`, `--pace`, `--rest`,
 * `--exchange-every`, `--outer-rate`, `--outer-momentum`) and its variable `DIGITS_GRID`: JSON with the values to try by axis, such as `{"learningRate": [0.1, 0.01], "hidden": [32, 64]}`.
 * The unit's index picks a point; a grid must have as many points as the task has units. Without a grid, units differ in
 * nothing but their seed, which is their index. With `--exchange-every` all units train one model: then the grid has one
 * point, and the seed is 0 where it is not given.
 *
 * @throws {@link ConfigError}
 */
export function readConfig(
  args: readonly string[],
  grid: string | undefined,
  unit: { readonly unitIndex: number; readonly unitCount: number },
): UnitConfig {
  const read = readArguments(args);
  const { epochs, train, test, "checkpoint-steps": checkpointSteps, pace, rest, "exchange-every": every } = read;
  if (train % CLASSES || test % CLASSES || train + test > CLASSES * IMAGES_PER_DIGIT) {
    throw new ConfigError(
      `--train ${train} --test ${test}: both have to be multiples of ${CLASSES}, together at most ${CLASSES * IMAGES_PER_DIGIT}.`,
    );
  }
  const point = pickPoint(grid, every === 0 ? unit : { unitIndex: 0, unitCount: 1 });
  const training = { ...point, epochs, train, test };
  if (every === 0) return { training, checkpointSteps, pace, rest };
  const exchange = { every, outerRate: read["outer-rate"], outerMomentum: read["outer-momentum"] };
  return { training, exchange, checkpointSteps, pace, rest };
}

function readArguments(args: readonly string[]): Record<keyof typeof ARGUMENTS, number> {
  const names = Object.keys(ARGUMENTS) as (keyof typeof ARGUMENTS)[];
  let values: Readonly<Record<string, unknown>>;
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    values = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const known = names.map((name) => `--${name}`).join(", ");
    throw new ConfigError(`${cause instanceof Error ? cause.message : String(cause)}; known are ${known}.`);
  }
  const read = (name: keyof typeof ARGUMENTS) => {
    const text = values[name] as string | undefined;
    return text === undefined
      ? ARGUMENTS[name].standard
      : within(`--${name}`, Number(text || NaN), text, ARGUMENTS[name]);
  };
  return Object.fromEntries(names.map((name) => [name, read(name)])) as Record<keyof typeof ARGUMENTS, number>;
}

function pickPoint(
  text: string | undefined,
  { unitIndex, unitCount }: { readonly unitIndex: number; readonly unitCount: number },
): GridPoint {
  const axes = Object.entries(AXES) as [keyof GridPoint, Bounds][];
  const standard = Object.fromEntries(axes.map(([name, bounds]) => [name, bounds.standard])) as unknown as GridPoint;
  if (text === undefined) return { ...standard, seed: unitIndex };
  const grid = parseGrid(text);
  const points = [...grid.values()].reduce((product, values) => product * values.length, 1);
  if (points !== unitCount) {
    throw new ConfigError(
      `DIGITS_GRID has ${points} points, but ${unitCount} models are trained: submit it with ${points} units, or change the grid.`,
    );
  }
  let rest = unitIndex;
  const point: Record<keyof GridPoint, number> = { ...standard };
  for (const [name] of axes.toReversed()) {
    const values = grid.get(name);
    if (!values) continue;
    point[name] = values[rest % values.length] ?? point[name];
    rest = Math.floor(rest / values.length);
  }
  return point;
}

function parseGrid(text: string): Map<keyof GridPoint, number[]> {
  const wanted = `it has to be JSON such as {"learningRate": [0.1, 0.01], "hidden": [32, 64]}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConfigError(`DIGITS_GRID is ${text.slice(0, 80)}: ${wanted}.`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new ConfigError(`DIGITS_GRID: ${wanted}.`);
  const grid = new Map<keyof GridPoint, number[]>();
  for (const [name, values] of Object.entries(json)) {
    if (!Object.hasOwn(AXES, name)) {
      throw new ConfigError(`DIGITS_GRID has the axis "${name}"; known are ${Object.keys(AXES).join(", ")}.`);
    }
    const axis = name as keyof GridPoint;
    if (!Array.isArray(values) || values.length === 0) {
      throw new ConfigError(`DIGITS_GRID.${name} has to list at least one value: ${wanted}.`);
    }
    grid.set(
      axis,
      values.map((value, i) => within(`DIGITS_GRID.${name}[${i}]`, value, JSON.stringify(value), AXES[axis])),
    );
  }
  return grid;
}

function within(name: string, value: unknown, shown: string, { min, max, whole }: Bounds): number {
  if (typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new ConfigError(`${name} is ${shown}: it has to be a ${whole ? "whole " : ""}number from ${min} to ${max}.`);
}
