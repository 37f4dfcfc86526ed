import assert from "node:assert/strict";
import { test } from "node:test";

import { proofsOf } from "./results.ts";

test("a proof is one only if it was decided, along all paths", () => {
  const of = (exitcode: number, num_bounded_loops = 0) =>
    proofsOf({
      test_results: {
        "test/symbolic/A.sol:A": [{ name: "check_B(uint8)", exitcode, num_bounded_loops, time: [1.5, 1, 0.5] }],
      },
    })[0];
  assert.deepEqual(of(0), { contract: "A", name: "check_B", fate: "proved", seconds: 1.5 });
  assert.equal(of(0, 1)?.fate, "undecided");
  assert.equal(of(1)?.fate, "refuted");
  assert.equal(of(2)?.fate, "undecided");
});
