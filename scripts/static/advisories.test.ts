import assert from "node:assert/strict";
import { test } from "node:test";

import { advisoriesOf } from "./advisories.ts";

test("an answer names packages, even if it names none", () => {
  assert.deepEqual(advisoriesOf('{ "vulnerabilities": {} }'), { kind: "answered", packages: [] });
  const via = ["lower", { title: "Reads past its end" }];
  assert.deepEqual(advisoriesOf(JSON.stringify({ vulnerabilities: { upper: { severity: "high", via } } })), {
    kind: "answered",
    packages: [{ name: "upper", severity: "high", title: "by lower; Reads past its end" }],
  });
});

test("what has no list is no answer", () => {
  assert.deepEqual(advisoriesOf('{ "message": "405 Method Not Allowed", "error": { "summary": "" } }'), {
    kind: "unanswered",
    why: "405 Method Not Allowed",
  });
  assert.equal(advisoriesOf("").kind, "unanswered");
  assert.equal(advisoriesOf("{}").kind, "unanswered");
});
