import assert from "node:assert/strict";
import { test } from "node:test";

import { scrypt, toUtf8Bytes } from "ethers";

import "./native-scrypt.ts";

// RFC 7914, section 12, the third vector.
const KEY =
  "0x7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";

test("ethers derives by it what the standard says", async () => {
  assert.equal(await scrypt(toUtf8Bytes("pleaseletmein"), toUtf8Bytes("SodiumChloride"), 16_384, 8, 1, 64), KEY);
});

test("a keystore that asks for more than a GiB is refused before it gets any", async () => {
  const before = process.memoryUsage.rss();
  await assert.rejects(scrypt(toUtf8Bytes("a"), toUtf8Bytes("b"), 2 ** 21, 8, 1, 32), /memory limit/);
  assert.ok(process.memoryUsage.rss() - before < 2 ** 28);
});
