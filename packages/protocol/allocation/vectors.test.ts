import assert from "node:assert/strict";
import { test } from "node:test";

import { hexlify } from "ethers";

import vectors from "../../../test/vectors/rounds.json" with { type: "json" };
import { leasesOf, type RoundVector, roundOf } from "../../../test/vectors/rounds.ts";
import { lpSolver } from "./lp-solver.ts";
import { pathSolver } from "./path-solver.ts";
import { planRound } from "./round-plan.ts";

const rounds: readonly RoundVector[] = vectors.rounds;

for (const vector of rounds) {
  test(`the round that the contracts settle is planned to the same bytes and leases: ${vector.name}`, () => {
    for (const solver of [pathSolver, lpSolver]) {
      const plan = planRound(roundOf(vector), solver);
      assert.equal(plan.kind, "plan");
      if (plan.kind !== "plan") continue;
      assert.equal(hexlify(plan.post), vector.post, solver.name);
      assert.deepEqual(leasesOf(plan.rows), vector.leases, solver.name);
    }
  });
}
