import assert from "node:assert/strict";
import { test } from "node:test";

import { type CompiledCode, isCompiledFrom, librariesOf } from "./deployed-code.ts";

const LIBRARY = "11".repeat(20);
const compiled: CompiledCode = {
  deployedBytecode: `0x6001${"00".repeat(4)}73__$${"ab".repeat(17)}$__5b00`,
  immutableReferences: { 7: [{ start: 2, length: 4 }] },
  deployedLinkReferences: { "contracts/Sums.sol": { Sums: [{ start: 7, length: 20 }] } },
};
const code = (immutable: string, rest = "5b00") => `0x6001${immutable}73${LIBRARY}${rest}`;

test("code is what the compiler makes, but for immutables and the addresses of libraries", () => {
  assert.equal(isCompiledFrom(code("01020304"), compiled), true);
  assert.equal(isCompiledFrom(code("01020304", "5b01"), compiled), false, "another byte");
  assert.equal(isCompiledFrom(code("01020304", "5b0000"), compiled), false, "longer");
  assert.equal(isCompiledFrom("0x", compiled), false, "no code");
});

test("a library's own address is not held against it, other code is", () => {
  const library = { deployedBytecode: `0x73${"00".repeat(20)}301400` };
  assert.equal(isCompiledFrom(`0x73${LIBRARY}301400`, library), true);
  assert.equal(isCompiledFrom(`0x73${LIBRARY}301401`, library), false);
  assert.equal(isCompiledFrom(`0x73${LIBRARY}301400`, { deployedBytecode: `0x73${"22".repeat(20)}301400` }), false);
});

test("libraries are named with the addresses that the code calls", () => {
  assert.deepEqual(librariesOf(code("01020304"), compiled), [
    { name: "contracts/Sums.sol:Sums", address: `0x${LIBRARY}` },
  ]);
  assert.deepEqual(librariesOf("0x", compiled), []);
});
