import assert from "node:assert/strict";
import { test } from "node:test";

import { Interface } from "ethers";

import { abiOf } from "./abi.ts";
import { outcomesIn, readCalldata } from "./batched-calls.ts";

const LENS = new Interface(abiOf("Lens"));
const encoded = (number: bigint, outcomes: readonly [boolean, string][]) =>
  LENS.encodeFunctionResult("read", [number, outcomes]);

test("reads what ethers writes", () => {
  const outcomes: [boolean, string][] = [
    [true, `0x${"ab".repeat(100)}`],
    [false, "0x"],
    [false, "0x08c379a0"],
    [true, `0x${"00".repeat(64)}`],
  ];
  const expected = outcomes.map(([ok, data]) => ({ ok, data }));
  assert.deepEqual(outcomesIn(encoded(123_456_789n, outcomes)), [123_456_789n, expected]);
  assert.deepEqual(outcomesIn(encoded(7n, [])), [7n, []]);
});

test("believes nothing that is cut short, or points beyond the answer", () => {
  const whole = encoded(7n, [
    [true, `0x${"ab".repeat(40)}`],
    [false, "0x12"],
  ]);
  assert.equal(outcomesIn("0x"), undefined);
  for (let end = 2; end < whole.length - 64; end += 62) assert.equal(outcomesIn(whole.slice(0, end)), undefined);
  for (const word of [1, 2, 3, 4]) {
    const from = 2 + 64 * word;
    assert.equal(outcomesIn(`${whole.slice(0, from)}${"f".repeat(64)}${whole.slice(from + 64)}`), undefined);
  }
});

test("takes no longer for each part where there are many", () => {
  const many = encoded(
    7n,
    Array.from({ length: 256 }, () => [true, `0x${"ab".repeat(20_000)}`] as [boolean, string]),
  );
  const before = process.cpuUsage();
  assert.equal(outcomesIn(many)?.[1].length, 256);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `${String(user / 1000)} ms`);
});

test("asks as ethers would", () => {
  const to = ["0x5FbDB2315678afecb367f032d93F642f64180aa3", `0x${"0".repeat(39)}1`];
  for (const data of [[], ["0x"], ["0x12345678"], [`0x${"ab".repeat(32)}`, `0x${"cd".repeat(36)}`, "0x01", "0x"]]) {
    const calls = data.map((each, i) => ({ to: to[i % 2] ?? "", data: each }));
    const target = calls.map((call) => ({ target: call.to, data: call.data }));
    assert.equal(readCalldata(calls), LENS.encodeFunctionData("read", [target]));
  }
});
