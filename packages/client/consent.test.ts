import assert from "node:assert/strict";
import { test } from "node:test";

import { formatConsent, parseConsent } from "./consent.ts";

const operator = `0x${"12".repeat(20)}`;

test("a consent is read as it was written", () => {
  const consent = { operator, deadline: 1_764_000_000n, signature: `0x${"ab".repeat(65)}` };
  assert.deepEqual(parseConsent(operator, formatConsent(consent)), consent);
  // An owner that is its own operator signs nothing.
  assert.deepEqual(parseConsent(operator, "0:0x"), { operator, deadline: 0n, signature: "0x" });
});

test("what is no consent is refused with the command that makes one", () => {
  for (const text of ["", "0x", "12:", "12:0xabc", ":0xab", "-1:0xab", "12:0xab "]) {
    assert.throws(() => parseConsent(operator, text), /node:consent --owner/);
  }
});
