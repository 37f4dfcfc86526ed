import assert from "node:assert/strict";
import { test } from "node:test";

import { Registry } from "prom-client";

import type { Reader } from "../../chain/readers.ts";
import { networkSimplex } from "../../protocol/allocation/networkSimplex.ts";
import { planRound } from "../../protocol/allocation/plan.ts";
import { Market, marketsOf, outcomeOf, wantedUnits } from "./market.ts";

const node = (id: number, tick: number, units: number, position = 0) => ({ id, tick, units, position });
const round = (units: number, maxPrice = 40_000) => ({
  roundId: 1,
  seed: `0x${"11".repeat(32)}`,
  tasks: [{ id: 5, units, maxPrice, classes: [{ classId: 1, surcharge: 0 }] }],
  classes: [{ id: 1, name: "cpu/eu", tickSize: 1000, nodes: [node(1, 10, 4), node(2, 12, 4)] }],
});
const solved = (units: number) => {
  const plan = planRound(round(units), networkSimplex);
  assert.ok(plan.kind === "plan");
  return outcomeOf(round(units), plan);
};

test("the dual says what one more unit is worth: the marginal ask, or what a task would have paid", () => {
  const [slack] = solved(6);
  assert.equal(slack?.className, "cpu/eu");
  assert.ok(Math.abs((slack?.price ?? 0) - 0.012) < 1e-5, String(slack?.price));
  assert.equal(slack?.unmet, 0);
  const [scarce] = solved(20);
  assert.ok(Math.abs((scarce?.price ?? 0) - 0.04) < 1e-5, String(scarce?.price));
  assert.equal(scarce?.unmet, 12);
});

test("units worth having: in use, and missing ones only while they are worth more than they cost", () => {
  const market = { price: 0.04, unmet: 12, leased: 8 };
  assert.equal(wantedUnits(market, 0.012), 20);
  assert.equal(wantedUnits(market, 0.05), 8, "it would not pay");
  assert.equal(wantedUnits({ ...market, unmet: 0 }, 0.012), 8);
});

test("leases and capacity by class; what was open when nothing waits any more is not missing", () => {
  const nodes = [
    { className: "cpu/eu", owner: "0xA", active: true, capacity: 8, leased: 3 },
    { className: "cpu/eu", owner: "0xB", active: false, capacity: 8, leased: 2 },
    { className: "gpu/eu", owner: "0xA", active: true, capacity: 9, leased: 9 },
  ];
  const outcome = { className: "cpu/eu", price: 1, unmet: 7 };
  assert.deepEqual(marketsOf([outcome], nodes, true), [{ ...outcome, leased: 5, capacity: 8 }]);
  assert.equal(marketsOf([outcome], nodes, false)[0]?.unmet, 0);
});

test("as JSON for an autoscaler, and as metrics", async () => {
  const reader = {
    pin: async () => ({}),
    classes: async () => [{ id: 1, name: "cpu/eu" }],
    nodes: async () => [
      { classId: 1, owner: "0xA", status: "active", capacity: 8, leased: 6 },
      { classId: 1, owner: "0xB", status: "active", capacity: 4, leased: 1 },
    ],
    queue: async () => [5],
  } as unknown as Reader;
  const registry = new Registry();
  const market = new Market(reader, registry);
  const ask = (query: string) => market.page(new URLSearchParams(query));
  const empty = { className: "cpu/eu", price: 0, unmet: 0, leased: 0, capacity: 0, cost: 0.01, wanted: 0 };
  assert.deepEqual(await ask("class=cpu/eu&cost=0.01"), empty);
  const outcome = { className: "cpu/eu", price: 0.04, unmet: 12 };
  market.note([outcome]);
  assert.deepEqual(await ask(""), { classes: [{ ...outcome, leased: 7, capacity: 12 }] });
  assert.deepEqual(await ask("class=cpu/eu&cost=0.01&owner=0xa"), {
    ...outcome,
    leased: 6,
    capacity: 8,
    cost: 0.01,
    wanted: 18,
  });
  assert.match(await registry.metrics(), /drmp_class_unmet_units\{class="cpu\/eu"\} 12/);
});
