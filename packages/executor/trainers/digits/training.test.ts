import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { listCheckpoints } from "../../checkpoints.ts";
import { restoreCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { TrainingConfig } from "./config.ts";
import { loadDigits, type Samples } from "./data.ts";
import { encodeModel, sha256 } from "./model-file.ts";
import { initialState, stepsDone, train, type TrainingState } from "./training.ts";

/** 4 steps an epoch, the last one of 10 samples. */
const config: TrainingConfig = {
  learningRate: 0.05,
  momentum: 0.9,
  hidden: 10,
  batch: 30,
  seed: 3,
  epochs: 3,
  train: 100,
  test: 10,
};
const STEPS = 12;

let samples: Samples;
let root: string;
/** One checkpoint directory per step, each with the checkpoints of that step and the one before. */
const moments: string[] = [];
let uninterrupted: TrainingState;

before(async () => {
  samples = (await loadDigits(config.train, config.test)).train;
  root = await mkdtemp(join(tmpdir(), "digits-"));
  const directory = join(root, "checkpoint");
  await mkdir(directory);
  uninterrupted = initialState(config);
  await train(config, samples, uninterrupted, async (state) => {
    await saveCheckpoint(directory, config, state);
    const moment = join(root, `after-${stepsDone(config, state)}`);
    await cp(directory, moment, { recursive: true });
    moments.push(moment);
    return true;
  });
});
after(() => rm(root, { recursive: true, force: true }));

const never = () => assert.fail("no checkpoint should be refused");

/** A state in short: equal only if every bit is. */
function bitsOf({ network, velocity, ...rest }: TrainingState) {
  const memory = { hidden: network.hidden, parameters: velocity };
  return { ...rest, weights: sha256(encodeModel(network)), velocity: sha256(encodeModel(memory)) };
}

/** Trains on to the end, and tells where that is. */
async function finish(state: TrainingState) {
  await train(config, samples, state, async () => true);
  return bitsOf(state);
}

test("the same configuration gives the same bits, another seed others", async () => {
  assert.deepEqual(await finish(initialState(config)), bitsOf(uninterrupted));
  const other = { ...config, seed: 4 };
  const state = initialState(other);
  await train(other, samples, state, async () => true);
  assert.notEqual(bitsOf(state).weights, bitsOf(uninterrupted).weights);
});

test("the bits are these on every machine and under every version of Node", () => {
  assert.equal(bitsOf(uninterrupted).weights, "3d5caf8fbf5e8acf7fa01d414baac08fdd5df0c738f198a7e19b64bceffbce22");
});

test("from every step's checkpoint on, the same bits come out as without interruption", async () => {
  assert.equal(moments.length, STEPS);
  for (const [index, moment] of moments.entries()) {
    const state = await restoreCheckpoint(moment, config, never);
    assert.ok(state);
    assert.equal(stepsDone(config, state), index + 1);
    assert.deepEqual(await finish(state), bitsOf(uninterrupted), `from step ${index + 1}`);
  }
});

test("stopped between two steps, it stays there", async () => {
  const state = initialState(config);
  await train(config, samples, state, async () => stepsDone(config, state) < 5);
  assert.equal(stepsDone(config, state), 5);
  assert.deepEqual(await finish(state), bitsOf(uninterrupted));
});

test("checkpoints are numbered by their steps, say how far they are, and the newest two are kept", async () => {
  const checkpoints = await listCheckpoints(moments[5]!);
  assert.deepEqual(
    checkpoints.map(({ number, progress }) => [number, progress]),
    [
      [6, 6 / STEPS],
      [5, 5 / STEPS],
    ],
  );
  assert.deepEqual((await listCheckpoints(moments.at(-1)!))[0]?.progress, 1);
});

test("every epoch has an order of its own", () => {
  assert.notDeepEqual(uninterrupted.random, initialState(config).random);
});

test("a network learns: the loss falls", () => {
  const [first = 0, second = 0, third = 0] = uninterrupted.losses;
  assert.equal(uninterrupted.losses.length, 3);
  assert.ok(third < second && second < first && third < 0.9 * first, String(uninterrupted.losses));
});

/** Spoils the newest checkpoint of step 6, and tells what is restored instead. */
async function restoreSpoilt(name: string, spoil: (checkpoint: string) => Promise<void>) {
  const directory = join(root, `spoilt-${name}`);
  await cp(moments[5]!, directory, { recursive: true });
  await spoil(join(directory, "checkpoint-000000006"));
  const refusals: string[] = [];
  const state = await restoreCheckpoint(directory, config, ({ number }, why) => refusals.push(`${number}: ${why}`));
  return { state, refusals, directory };
}

for (const file of ["weights.bin", "velocity.bin"]) {
  test(`a damaged ${file} is passed over for the checkpoint before, and replaced`, async () => {
    const { state, refusals, directory } = await restoreSpoilt(file, async (checkpoint) => {
      const bytes = await readFile(join(checkpoint, file));
      bytes[100]! ^= 1;
      await writeFile(join(checkpoint, file), bytes);
    });
    assert.deepEqual(refusals, ["6: it is damaged: its files do not have their SHA-256"]);
    assert.ok(state);
    assert.equal(stepsDone(config, state), 5);
    await train(config, samples, state, async () => {
      await saveCheckpoint(directory, config, state);
      return false;
    });
    const repaired = await restoreCheckpoint(directory, config, never);
    assert.deepEqual(await readdir(directory), ["checkpoint-000000005", "checkpoint-000000006"]);
    assert.deepEqual(await finish(repaired!), bitsOf(uninterrupted));
  });
}

const spoiltStates: [what: string, change: Record<string, unknown>, why: RegExp][] = [
  ["a position beyond the end", { epoch: 4 }, /position makes no sense/],
  ["a step beyond the epoch", { step: 4 }, /position makes no sense/],
  ["a step after the last epoch", { epoch: 3, losses: [1, 1, 1], step: 1 }, /position makes no sense/],
  ["half a step", { step: 0.5 }, /position makes no sense/],
  ["a generator of zeros", { random: [0, 0, 0, 0] }, /position makes no sense/],
  ["a generator of three words", { random: [1, 2, 3] }, /position makes no sense/],
  ["too few losses", { losses: [] }, /position makes no sense/],
  ["a loss that is none", { lossSum: null }, /position makes no sense/],
  ["another seed", { config: { ...config, seed: 4 } }, /another training: seed is 4/],
  ["no configuration", { config: undefined }, /another training/],
];
for (const [what, change, why] of spoiltStates) {
  test(`a state with ${what} is passed over`, async () => {
    const { state, refusals } = await restoreSpoilt(what.replaceAll(" ", "-"), async (checkpoint) => {
      const path = join(checkpoint, "state.json");
      const file = JSON.parse(await readFile(path, "utf8")) as object;
      await writeFile(path, JSON.stringify({ ...file, ...change }));
    });
    assert.equal(refusals.length, 1);
    assert.match(refusals[0]!, why);
    assert.ok(state);
    assert.equal(stepsDone(config, state), 5);
  });
}

test("without any good checkpoint there is nothing to go on from", async () => {
  assert.equal(await restoreCheckpoint(join(root, "missing"), config, never), undefined);
  const { state, refusals } = await restoreSpoilt("all", async (checkpoint) => {
    await rm(join(checkpoint, "weights.bin"));
    await writeFile(join(checkpoint, "../checkpoint-000000005/state.json"), "null");
  });
  assert.equal(state, undefined);
  assert.equal(refusals.length, 2);
});
