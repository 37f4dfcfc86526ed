import assert from "node:assert/strict";
import { test } from "node:test";

import { ConfigError, readConfig } from "./config.ts";

const single = { unitIndex: 0, unitCount: 1 };

test("without arguments and grid, units differ in their seed", () => {
  assert.deepEqual(readConfig([], undefined, { unitIndex: 3, unitCount: 5 }), {
    training: {
      learningRate: 0.05,
      momentum: 0.9,
      hidden: 64,
      batch: 32,
      seed: 3,
      epochs: 12,
      train: 4000,
      test: 1000,
    },
    checkpointSteps: 250,
    pace: 0,
    rest: 0,
  });
});

test("arguments are taken", () => {
  const args = ["--epochs", "2", "--train=100", "--test", "50", "--checkpoint-steps", "7", "--pace", "3", "--rest=1.5"];
  const { training, checkpointSteps, pace, rest } = readConfig(args, undefined, single);
  assert.deepEqual(
    [training.epochs, training.train, training.test, checkpointSteps, pace, rest],
    [2, 100, 50, 7, 3, 1.5],
  );
});

test("each unit of a task has its own point of the grid, in a fixed order whatever the order of the axes", () => {
  const points = (grid: unknown) =>
    Array.from({ length: 6 }, (_, unitIndex) => {
      const { training } = readConfig([], JSON.stringify(grid), { unitIndex, unitCount: 6 });
      return [training.learningRate, training.hidden, training.batch, training.seed];
    });
  const expected = [
    [0.1, 16, 32, 1],
    [0.1, 32, 32, 1],
    [0.1, 64, 32, 1],
    [0.01, 16, 32, 1],
    [0.01, 32, 32, 1],
    [0.01, 64, 32, 1],
  ];
  assert.deepEqual(points({ learningRate: [0.1, 0.01], hidden: [16, 32, 64] }), expected);
  assert.deepEqual(points({ hidden: [16, 32, 64], learningRate: [0.1, 0.01] }), expected);
});

for (const [args, grid, message] of [
  [["--epoch", "3"], undefined, /Unknown option '--epoch'.*known are --epochs/],
  [["3"], undefined, /Unexpected argument '3'/],
  [["--epochs", "0"], undefined, /--epochs is 0: it has to be a whole number from 1/],
  [["--epochs", "1.5"], undefined, /--epochs is 1\.5: it has to be a whole number/],
  [["--epochs", ""], undefined, /--epochs is : it has to be/],
  [["--epochs", "many"], undefined, /--epochs is many: it has to be/],
  [["--train", "105"], undefined, /--train 105 --test 1000: both have to be multiples of 10/],
  [["--train", "8000", "--test", "640"], undefined, /together at most 8630/],
  [[], "{", /DIGITS_GRID is \{: it has to be JSON such as/],
  [[], "[]", /DIGITS_GRID: it has to be JSON such as/],
  [[], "null", /DIGITS_GRID: it has to be JSON such as/],
  [[], '{"rate":[1]}', /has the axis "rate"; known are learningRate/],
  [[], '{"toString":[1]}', /has the axis "toString"/],
  [[], '{"hidden":64}', /DIGITS_GRID\.hidden has to list at least one value/],
  [[], '{"hidden":[]}', /DIGITS_GRID\.hidden has to list at least one value/],
  [[], '{"hidden":[1.5]}', /DIGITS_GRID\.hidden\[0\] is 1\.5: it has to be a whole number from 1 to 1024/],
  [[], '{"learningRate":["0.1"]}', /DIGITS_GRID\.learningRate\[0\] is "0\.1": it has to be a number/],
  [[], '{"learningRate":[0]}', /DIGITS_GRID\.learningRate\[0\] is 0/],
  [[], '{"hidden":[16,32]}', /has 2 points, but 1 models are trained: submit it with 2 units, or change the grid/],
] as const) {
  test(`refused: ${args.join(" ")} ${grid ?? ""}`, () => {
    assert.throws(
      () => readConfig(args, grid, single),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  });
}
