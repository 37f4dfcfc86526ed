import assert from "node:assert/strict";
import { test } from "node:test";

import { solidityPackedKeccak256 } from "ethers";
import fc from "fast-check";

import { seeded } from "../allocation/testing/rounds.ts";
import { dither, fillStart, nodeOrder } from "./draws.ts";
import vectors from "./vectors.json" with { type: "json" };

test("the draws equal those that SeedDraw.sol made", () => {
  for (const { seed, taskId, classId, value } of vectors.dither) assert.equal(dither(seed, taskId, classId), value);
  for (const { seed, classId, count, value } of vectors.fillStart) assert.equal(fillStart(seed, classId, count), value);
  for (const { seed, nodeId, value } of vectors.nodeOrder) assert.equal(nodeOrder(seed, nodeId), BigInt(value));
});

test("draws are the hash of the packed words", () => {
  const word = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
  const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const hash = (seed: string, tag: number, a: number, b: number): bigint =>
    BigInt(solidityPackedKeccak256(["bytes32", "uint8", "uint32", "uint32"], [seed, tag, a, b]));
  fc.assert(
    fc.property(word, id, id, fc.integer({ min: 1, max: 2 ** 31 }), (seed, a, b, count) => {
      assert.equal(dither(seed, a, b), Number(hash(seed, 1, a, b) % 1024n));
      assert.equal(fillStart(seed, a, count), Number(hash(seed, 2, a, 0) % BigInt(count)));
      assert.equal(nodeOrder(seed, a), hash(seed, 3, a, 0));
    }),
    seeded(200),
  );
});

test("impossible seeds, ids and counts are refused", () => {
  const seed = `0x${"11".repeat(32)}`;
  assert.throws(() => dither("0x1234", 1, 1), /32 bytes in hexadecimal, which 0x1234/);
  assert.throws(() => dither(seed, -1, 1), /no id/);
  assert.throws(() => nodeOrder(seed, 2 ** 32), /no id/);
  assert.throws(() => fillStart(seed, 1, 0), /nothing to fill/);
});
