import assert from "node:assert/strict";
import { test } from "node:test";

import vectors from "../../../test/vectors/draws.json" with { type: "json" };
import { dither, fillStart, nodeOrder } from "./draws.ts";

test("the draws equal those that SeedDraw.sol is held to", () => {
  for (const { seed, taskId, classId, value } of vectors.dither) assert.equal(dither(seed, taskId, classId), value);
  for (const { seed, classId, count, value } of vectors.fillStart) assert.equal(fillStart(seed, classId, count), value);
  for (const { seed, nodeId, value } of vectors.nodeOrder) assert.equal(nodeOrder(seed, nodeId), BigInt(value));
});
