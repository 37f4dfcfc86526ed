import assert from "node:assert/strict";
import { test } from "node:test";

import { planRoundWith } from "@verai/protocol/allocation/round-plan";
import { keeperSolvers } from "../../keepers/allocation/solvers.ts";
import { greedyOfArrays, greedyOfObjects, makeRound } from "./plan.ts";

test("both sorted greedies pay as much as the certified plan, in any order of the list", () => {
  for (const order of ["registered", "price"] as const) {
    for (const classes of [1, 5]) {
      const round = makeRound({ nodes: 500, classes, nodeUnits: 16, order }, classes);
      const plan = planRoundWith(round, keeperSolvers());
      assert.ok(plan.kind === "plan");
      const prices = new Map(
        round.classes.flatMap(({ id, tickSize, nodes }) =>
          nodes.map((node) => {
            const surcharge = round.tasks[0]?.classes.find(({ classId }) => classId === id)?.surcharge ?? 0;
            return [node.id, node.tick * tickSize + surcharge] as const;
          }),
        ),
      );
      const cost = (granted: readonly { id: number; units: number }[]): number =>
        granted.reduce((sum, { id, units }) => sum + units * (prices.get(id) ?? NaN), 0);
      const planned = cost(plan.rows.map(({ nodeId, units }) => ({ id: nodeId, units })));
      assert.equal(cost(greedyOfObjects(round)), planned);
      assert.equal(cost(greedyOfArrays(round)), planned);
    }
  }
});
