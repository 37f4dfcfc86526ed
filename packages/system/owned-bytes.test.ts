import assert from "node:assert/strict";
import { test } from "node:test";

import { free, owned } from "./owned-bytes.ts";

test("the memory of bytes that are nobody else's is given back at once, that of others never", () => {
  const before = process.memoryUsage().arrayBuffers;
  const bytes = owned(Buffer.alloc(64 << 20, 1));
  assert.ok(process.memoryUsage().arrayBuffers - before > 60 << 20);
  free(bytes);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 << 20);
  assert.equal(bytes.byteLength, 0);
  free(bytes);
  const unmarked = Buffer.alloc(1 << 20, 1);
  free(unmarked);
  const part = owned(unmarked.subarray(1));
  free(part);
  free(unmarked);
  assert.equal(unmarked.byteLength, 1 << 20);
  // A view of bytes that are marked is not all of them.
  const whole = owned(Buffer.alloc(1 << 20, 2));
  free(whole.subarray(0, 5));
  assert.equal(whole[7], 2);
});
