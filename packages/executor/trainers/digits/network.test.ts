import assert from "node:assert/strict";
import { test } from "node:test";

import { IMAGES_PER_DIGIT, loadDigits, PIXELS, type Samples } from "./data.ts";
import { decodeModel, encodeModel } from "./model-file.ts";
import { parameterCount, randomNetwork, Trainee } from "./network.ts";
import { Random } from "./random.ts";

test("the generator draws what its authors' program draws", () => {
  const random = new Random([1, 2, 3, 4]);
  const drawn = Array.from({ length: 6 }, () => random.word());
  assert.deepEqual(drawn, [11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
});

test("the generator goes on from its state, and permutes", () => {
  const random = Random.seeded(42);
  random.permutation(10);
  const copy = new Random(random.state);
  const order = random.permutation(1000);
  assert.deepEqual(copy.permutation(1000), order);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    [...Array(1000).keys()],
  );
  assert.notDeepEqual([...order], [...Array(1000).keys()]);
  assert.notDeepEqual(Random.seeded(1).state, Random.seeded(2).state);
});

test("the data are equally many of each digit; the test images are the same for every amount of training", async () => {
  const small = await loadDigits(100, 200);
  const large = await loadDigits(10 * IMAGES_PER_DIGIT - 200, 200);
  assert.deepEqual(small.test, large.test);
  assert.deepEqual(small.train.pixels, large.train.pixels.subarray(0, 100 * PIXELS));
  for (const { labels, count, pixels } of [small.train, small.test, large.train]) {
    const perDigit = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
    assert.deepEqual(perDigit, Array(10).fill(count / 10));
    assert.ok(pixels.every((pixel) => pixel >= 0 && pixel <= 1));
    // No image is empty, as it would be if the file were cut at a wrong place.
    for (let i = 0; i < count; i++) assert.ok(pixels.subarray(i * PIXELS, (i + 1) * PIXELS).some((pixel) => pixel > 0));
  }
  const key = (samples: Samples, i: number) => samples.pixels.subarray(i * PIXELS, (i + 1) * PIXELS).join();
  const tested = new Set(Array.from({ length: 200 }, (_, i) => key(small.test, i)));
  for (let i = 0; i < 100; i++) assert.ok(!tested.has(key(small.train, i)), `image ${i} is trained on and tested with`);
});

test("the gradient is the loss's slope", async () => {
  const { train } = await loadDigits(20, 10);
  const network = randomNetwork(12, Random.seeded(5));
  const trainee = new Trainee(network);
  const original = network.parameters.slice();
  const velocity = new Float32Array(original.length);
  const batch = Uint32Array.from({ length: 20 }, (_, i) => i);
  trainee.step(train, batch, velocity, { learningRate: 1, momentum: 0 });
  // With v = −g, the velocity holds the gradient.
  // Small enough that no unit of this network switches between off and on.
  const lossAt = (index: number, offset: number) => {
    network.parameters.set(original);
    network.parameters[index]! += offset;
    return trainee.evaluate(train).loss;
  };
  const largest = [...velocity.keys()].sort((a, b) => Math.abs(velocity[b]!) - Math.abs(velocity[a]!));
  const biases = [PIXELS * 12, PIXELS * 12 + 7, parameterCount(12) - 1];
  for (const index of [...largest.slice(0, 60), ...biases]) {
    const slope = (lossAt(index, 5e-4) - lossAt(index, -5e-4)) / 1e-3;
    assert.ok(Math.abs(slope + velocity[index]!) < 1e-4, `${index}: ${slope} instead of ${-velocity[index]!}`);
  }
});

test("momentum adds up the steps", async () => {
  const { train } = await loadDigits(10, 10);
  const network = randomNetwork(4, Random.seeded(1));
  const before = network.parameters.slice();
  const velocity = new Float32Array(before.length).fill(0.5);
  new Trainee(network).step(train, Uint32Array.of(3), velocity, { learningRate: 1e-30, momentum: 0.5 });
  assert.ok(velocity.every((v) => v === 0.25));
  assert.ok(network.parameters.every((w, i) => w === Math.fround(before[i]! + 0.25)));
});

test("a model file is 64 bytes of header and the numbers, and reads back", () => {
  const network = randomNetwork(3, Random.seeded(9));
  const bytes = encodeModel(network);
  assert.equal(bytes.length, 64 + 4 * (784 * 3 + 3 + 3 * 10 + 10));
  assert.deepEqual(
    Buffer.from(bytes.subarray(0, 24)).toString("hex"),
    "646967697473303110030000030000000a00000000000000",
  );
  assert.deepEqual(decodeModel(bytes), network);
  // Also out of the middle of a larger buffer, at an odd address.
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  assert.deepEqual(decodeModel(shifted.subarray(1)), network);
});

test("bytes that are no model are refused", () => {
  const bytes = encodeModel(randomNetwork(3, Random.seeded(9)));
  const changed = (at: number, value: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte));
  assert.throws(() => decodeModel(new Uint8Array()), /another header/);
  assert.throws(() => decodeModel(changed(0, 0)), /another header/);
  assert.throws(() => decodeModel(changed(8, 0)), /layers are 768-3-10/);
  assert.throws(() => decodeModel(changed(14, 255)), /layers are 784-16711683-10/);
  assert.throws(() => decodeModel(bytes.subarray(0, -1)), /bytes/);
  assert.throws(() => decodeModel(changed(12, 4)), /bytes/);
});
