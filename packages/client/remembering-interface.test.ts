import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";

import { Interface } from "ethers";

import { RememberingInterface } from "./remembering-interface.ts";

const ABI = [
  "function node(uint32 id) view returns (tuple(uint32 id, string endpoint)[])",
  "function name(string of) view returns (uint256)",
  "function flag(bool of) view returns (uint256)",
];
const plain = new Interface(ABI);
const answerOf = (id: number, endpoint = "x"): string => plain.encodeFunctionResult("node", [[[id, endpoint]]]);

function open() {
  const abi = new RememberingInterface(ABI);
  const [node, name, flag] = ["node", "name", "flag"].map((each) => abi.getFunction(each));
  if (!node || !name || !flag) throw new Error("the ABI lacks a function");
  return { abi, node, name, flag };
}

test("an answer that is the same as before is not taken apart again", () => {
  const { abi, node } = open();
  const first = abi.decodeFunctionResult(node, answerOf(7));
  equal(abi.decodeFunctionResult(node, answerOf(7)), first);
  deepEqual(first.toArray(true), [[[7n, "x"]]]);
});

test("another answer is, and each says what ethers says", () => {
  const { abi, node } = open();
  for (const id of [1, 2, 1, 3]) {
    const answer = answerOf(id);
    deepEqual(
      abi.decodeFunctionResult(node, answer).toArray(true),
      plain.decodeFunctionResult("node", answer).toArray(true),
    );
  }
});

test("few answers are remembered, and no large one", () => {
  const { abi, node } = open();
  const first = abi.decodeFunctionResult(node, answerOf(1));
  for (let id = 2; id <= 9; id++) abi.decodeFunctionResult(node, answerOf(id));
  notEqual(abi.decodeFunctionResult(node, answerOf(1)), first);
  const large = answerOf(1, "x".repeat(9_000));
  notEqual(abi.decodeFunctionResult(node, large), abi.decodeFunctionResult(node, large));
});

test("what ethers refuses is refused each time", () => {
  const { abi, node } = open();
  for (let time = 0; time < 2; time++) throws(() => abi.decodeFunctionResult(node, "0x1234"), /invalid length/);
  for (let time = 0; time < 2; time++) throws(() => abi.encodeFunctionData(node, [-1]), /out-of-bounds/);
});

test("calldata is that of ethers, whatever was asked before", () => {
  const { abi, node, name, flag } = open();
  for (const values of [[1], [1n], [2], [1]]) {
    equal(abi.encodeFunctionData(node, values), plain.encodeFunctionData("node", values));
  }
  for (const id of ["1", "2", "1"]) equal(abi.encodeFunctionData(name, [id]), plain.encodeFunctionData("name", [id]));
  for (const is of [true, false, 1]) equal(abi.encodeFunctionData(flag, [is]), plain.encodeFunctionData("flag", [is]));
});
