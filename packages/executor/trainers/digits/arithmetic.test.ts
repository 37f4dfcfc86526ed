import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { exp, log, squareRoot } from "./arithmetic.ts";
import { Random } from "./random.ts";

const FUNCTIONS = { exp, log, squareRoot };

/** Of each function, [argument, value], each as the 16 hexadecimal digits of a double. */
const vectors = JSON.parse(await readFile(new URL("arithmetic.vectors.json", import.meta.url), "utf8")) as Record<
  keyof typeof FUNCTIONS,
  readonly (readonly [string, string])[]
>;

const view = new DataView(new ArrayBuffer(8));
function doubleOf(hex: string): number {
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}
function bitsOf(x: number): bigint {
  view.setFloat64(0, x);
  return view.getBigInt64(0);
}

test("the bits are those of the fixed vectors, on every engine", () => {
  for (const [name, of] of Object.entries(FUNCTIONS)) {
    const pairs = vectors[name as keyof typeof FUNCTIONS];
    assert.equal(pairs.length, 256);
    for (const [argument, value] of pairs) {
      const result = of(doubleOf(argument));
      assert.equal(bitsOf(result), bitsOf(doubleOf(value)), `${name}(${doubleOf(argument)}) is ${result}`);
    }
  }
});

test("values are within a unit in the last place of the engine's own", () => {
  const random = Random.seeded(20260706);
  for (let i = 0; i < 100_000; i++) {
    const x = (2 * random.fraction() - 1) * [1, 30, 700][i % 3]!;
    const y = Math.exp((2 * random.fraction() - 1) * [1, 700][i % 2]!);
    const distances = [
      ["exp", x, bitsOf(exp(x)) - bitsOf(Math.exp(x))],
      ["log", y, bitsOf(log(y)) - bitsOf(Math.log(y))],
    ] as const;
    for (const [name, at, units] of distances) {
      assert.ok(units >= -1n && units <= 1n, `${name}(${at}) is ${units} units off`);
    }
    if (i % 50 === 0) assert.equal(squareRoot(y), Math.sqrt(y));
  }
});

test("the ends of the range", () => {
  assert.deepEqual([exp(0), exp(-Infinity), exp(Infinity), exp(-746), exp(710)], [1, 0, Infinity, 0, Infinity]);
  assert.ok(Number.isNaN(exp(NaN)));
  assert.equal(exp(-745), Number.MIN_VALUE);
  assert.deepEqual([log(1), log(0), log(Infinity)], [0, -Infinity, Infinity]);
  assert.ok(Number.isNaN(log(-1)) && Number.isNaN(log(NaN)));
  assert.equal(log(Number.MIN_VALUE), Math.log(Number.MIN_VALUE));
  for (const x of [0, -1, NaN, Infinity, Number.MIN_VALUE]) assert.throws(() => squareRoot(x), /no square root of/);
});
