import assert from "node:assert/strict";
import { test } from "node:test";

import { failureIn } from "./failures.ts";

test("of a report on tests, the part on failures is shown from its beginning", () => {
  const report = "✔ one (1 ms)\n✖ two (2 ms)\nℹ fail 1\n\n✖ failing tests:\n\ntest at a.ts:1:1\n✖ two\n  1 !== 2\n";
  assert.equal(failureIn(report, 10), "✖ failing tests:\n\ntest at a.ts:1:1\n✖ two\n  1 !== 2");
  assert.equal(failureIn(report, 3), "✖ failing tests:\n\n…");
});

test("of any other output, the last lines are shown", () => {
  assert.equal(failureIn("a\nb\nc\n", 2), "b\nc");
  assert.equal(failureIn("a\n", 2), "a");
  assert.equal(failureIn("", 2), "");
});
