import assert from "node:assert/strict";
import { test } from "node:test";

import { builtInTrainers } from "./registry.ts";
import { isAuditedByDefault, isVouched, VOUCHED_TRAINERS } from "./vouched.ts";

test("the protocol vouches for the built-in trainers, and for no other program", () => {
  assert.deepEqual([...VOUCHED_TRAINERS], [...builtInTrainers.keys()]);
  assert.equal(isVouched({ trainer: "digits" }), true);
  assert.equal(isVouched({ trainer: "python" }), false);
  assert.equal(isVouched({ trainer: undefined }), false, "an image");
});

test("a task is audited by default if its states can be compared and its key need not go further", () => {
  const steps = { intervalSeconds: 60, everySteps: 10 };
  assert.equal(isAuditedByDefault({ trainer: "digits", checkpoint: steps }), true);
  assert.equal(isAuditedByDefault({ trainer: "digits", checkpoint: { intervalSeconds: 60 } }), false);
  assert.equal(isAuditedByDefault({ trainer: "digits", checkpoint: steps, confidential: true }), false);
  assert.equal(isAuditedByDefault({ trainer: "python", checkpoint: steps }), false);
});
