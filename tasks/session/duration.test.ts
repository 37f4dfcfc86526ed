import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDuration, parseDuration } from "./duration.ts";

test("time spans are read as people write them", () => {
  assert.equal(parseDuration("90"), 90);
  assert.equal(parseDuration("45m"), 2700);
  assert.equal(parseDuration("1.5h"), 5400);
  assert.equal(parseDuration("1h30m"), 5400);
  assert.equal(parseDuration(" 7d "), 604_800);
});

test("what is no time span is refused with the text and the remedy", () => {
  for (const text of ["", "soon", "5 h", "1h30", "-3h", "0", "1.5", "3w", "h", "10m!"]) {
    assert.throws(() => parseDuration(text), { name: "RangeError", message: new RegExp(`is no time span: write`) });
  }
});

test("seconds are written with their two largest units", () => {
  assert.equal(formatDuration(0), "0s");
  assert.equal(formatDuration(59), "59s");
  assert.equal(formatDuration(5400), "1h30m");
  assert.equal(formatDuration(90_061), "1d1h");
});

test("what is written is read back the same", () => {
  for (const seconds of [1, 61, 3600, 7260, 86_400, 90_000]) {
    assert.equal(parseDuration(formatDuration(seconds)), seconds);
  }
});
