import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeBytes32String, encodeBytes32String } from "ethers";

import { classNameFromBytes32, classNameToBytes32 } from "./class-names.ts";

test("names of classes are written and read as ethers does it", () => {
  for (const name of ["cpu/eu", "gpu-80g/us", "é", "a".repeat(31)]) {
    const bytes = classNameToBytes32(name);
    assert.equal(bytes, encodeBytes32String(name));
    assert.equal(classNameFromBytes32(bytes), decodeBytes32String(bytes));
  }
});

test("what is no name is refused, and bytes that are no text stay digits", () => {
  for (const name of ["", "a".repeat(32), "a\0b"]) assert.throws(() => classNameToBytes32(name), /1 to 31 bytes/);
  for (const digits of [`0x${"00".repeat(32)}`, `0x${"ff".repeat(32)}`, `0xff${"00".repeat(31)}`, "0x61", "text"]) {
    assert.equal(classNameFromBytes32(digits), digits);
  }
});
