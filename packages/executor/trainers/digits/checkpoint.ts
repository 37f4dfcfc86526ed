import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import {
  type Checkpoint,
  listCheckpoints,
  notedCheckpoint,
  pruneCheckpoints,
  writeCheckpointAtomically,
} from "../../checkpoints.ts";
import type { TrainingConfig } from "./config.ts";
import { decodeModel, encodeModel, sha256 } from "./model-file.ts";
import type { RandomState } from "./random.ts";
import { progressOf, stepsDone, stepsPerEpoch, type TrainingState } from "./training.ts";

/** `state.json` of a checkpoint; the networks lie beside it as `weights.bin` and `velocity.bin`. */
interface StateFile {
  readonly config: TrainingConfig;
  readonly random: RandomState;
  readonly epoch: number;
  readonly step: number;
  readonly lossSum: number;
  readonly losses: readonly number[];
  readonly weightsSha256: string;
  readonly velocitySha256: string;
}

/** Longest file of a checkpoint that is read, in bytes: twice the weights of the largest network. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Saves a state; its number is that of the steps done, so a later one is newer. Keeps the newest two.
 *
 * @param noted Whether checkpoints are kept until the agent has taken note of them.
 */
export async function saveCheckpoint(
  directory: string,
  config: TrainingConfig,
  state: TrainingState,
  noted = false,
): Promise<Checkpoint> {
  const weights = encodeModel(state.network);
  const velocity = encodeModel({ hidden: config.hidden, parameters: state.velocity });
  const { random, epoch, step, lossSum, losses } = state;
  const file: StateFile = {
    config,
    random,
    epoch,
    step,
    lossSum,
    losses,
    weightsSha256: sha256(weights),
    velocitySha256: sha256(velocity),
  };
  const saved = await writeCheckpointAtomically(
    directory,
    stepsDone(config, state),
    { "weights.bin": weights, "velocity.bin": velocity, "state.json": JSON.stringify(file) },
    progressOf(config, state),
  );
  await pruneCheckpoints(directory, 2, noted ? await notedCheckpoint(directory) : Infinity);
  return saved;
}

/**
 * The newest checkpoint that is whole and belongs to the configuration; undefined if there is none, so that training
 * starts again (it comes to the same result).
 *
 * @param refused Told why a checkpoint is passed over.
 */
export async function restoreCheckpoint(
  directory: string,
  config: TrainingConfig,
  refused: (checkpoint: Checkpoint, why: string) => void,
): Promise<TrainingState | undefined> {
  for (const checkpoint of await listCheckpoints(directory)) {
    try {
      return await loadCheckpoint(checkpoint.path, config);
    } catch (error) {
      refused(checkpoint, error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}

async function loadCheckpoint(path: string, config: TrainingConfig): Promise<TrainingState> {
  const file = JSON.parse((await read(path, "state.json")).toString("utf8")) as Partial<StateFile> | null;
  const { config: saved, random, epoch, step, lossSum, losses, weightsSha256, velocitySha256 } = file ?? {};
  const keys = Object.keys(config) as (keyof TrainingConfig)[];
  const other = keys.find((key) => saved?.[key] !== config[key]);
  if (other !== undefined) throw new Error(`it belongs to another training: ${other} is ${String(saved?.[other])}`);
  const [weights, velocity] = [await read(path, "weights.bin"), await read(path, "velocity.bin")];
  if (sha256(weights) !== weightsSha256 || sha256(velocity) !== velocitySha256) {
    throw new Error("it is damaged: its files do not have their SHA-256");
  }
  if (
    !isCount(epoch, config.epochs) ||
    !isCount(step, epoch === config.epochs ? 0 : stepsPerEpoch(config) - 1) ||
    !isRandomState(random) ||
    !isFinite(lossSum) ||
    !areFinite(losses, epoch)
  ) {
    throw new Error("it is damaged: its position makes no sense");
  }
  const [network, memory] = [decodeModel(weights), decodeModel(velocity)];
  if (network.hidden !== config.hidden || memory.hidden !== config.hidden) {
    throw new Error("it is damaged: its networks have another size");
  }
  if (![network, memory].every(({ parameters }) => parameters.every(Number.isFinite))) {
    throw new Error("its networks have numbers that are not finite");
  }
  return {
    network,
    velocity: memory.parameters,
    random,
    epoch,
    step,
    lossSum,
    losses: [...losses],
  };
}

async function read(checkpoint: string, name: string): Promise<Buffer> {
  const path = join(checkpoint, name);
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) throw new Error(`${name} has ${size} bytes, at most ${MAX_FILE_BYTES} are read`);
  return readFile(path);
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function areFinite(values: unknown, count: number): values is number[] {
  return Array.isArray(values) && values.length === count && values.every(isFinite);
}

function isRandomState(value: unknown): value is RandomState {
  return (
    Array.isArray(value) &&
    value.length === 4 &&
    value.every((word) => isCount(word, 0xffff_ffff)) &&
    value.some((word) => word !== 0)
  );
}
