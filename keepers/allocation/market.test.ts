import assert from "node:assert/strict";
import { test } from "node:test";

import { Registry } from "prom-client";

import type { Reader } from "@verai/client/readers";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { PageError } from "@verai/process/endpoint";
import { clearingOf, Market, marketsOf, wantedUnits } from "./market.ts";

const node = (id: number, tick: number, units: number, position = 0) => ({ id, tick, units, position });
const round = (units: number) => ({
  roundId: 1,
  seed: `0x${"11".repeat(32)}`,
  tasks: [{ id: 5, units, maxPrice: 40_000, classes: [{ classId: 1, surcharge: 0 }] }],
  classes: [{ id: 1, name: "cpu/eu", tickSize: 1000, nodes: [node(1, 10, 4), node(2, 12, 4)] }],
});
const clearing = (units: number) => {
  const plan = planRound(round(units), networkSimplex);
  assert.ok(plan.kind === "plan");
  return clearingOf(round(units), plan)[0];
};
const machine = (className: string, owner: string, active: boolean, [capacity, leased, listed]: number[]) => ({
  ...{ className, owner, active },
  ...{ capacity: capacity ?? 0, leased: leased ?? 0, listed: listed ?? 0 },
});
const OWNER = `0x${"aa".repeat(20)}`;
const task = (units: number, bids: Record<string, number>) => ({ units, bids: new Map(Object.entries(bids)) });

test("the dual says what one more unit is worth: the marginal ask, or what a task would have paid", () => {
  assert.equal(clearing(6)?.className, "cpu/eu");
  assert.ok(Math.abs((clearing(6)?.price ?? 0) - 0.012) < 1e-5);
  // As many as there are listed, as rounds take them in: one more would go to who bids most.
  assert.ok(Math.abs((clearing(8)?.price ?? 0) - 0.04) < 1e-5);
});

test("units worth having: in use, and those that wait and pay more than they cost, while a unit is worth that", () => {
  const bids = [
    { price: 0.04, units: 12 },
    { price: 0.02, units: 5 },
  ];
  const market = { price: 0.04, bids, leased: 8 };
  assert.equal(wantedUnits(market, 0.012), 25);
  assert.equal(wantedUnits(market, 0.03), 20);
  assert.equal(wantedUnits(market, 0.05), 8, "it would not pay");
  assert.equal(wantedUnits({ ...market, price: 0.01 }, 0.012), 8, "there is enough at a lower price");
  assert.equal(wantedUnits({ ...market, bids: [] }, 0.012), 8);
});

test("leases and capacity by class; what waits counts in each class that it accepts, by what it bids there", () => {
  const nodes = [
    machine("cpu/eu", "0xA", true, [8, 3, 5]),
    machine("cpu/eu", "0xB", false, [8, 2, 0]),
    machine("gpu/eu", "0xA", true, [9, 9, 0]),
  ];
  const waiting = [task(7, { "cpu/eu": 0.02 }), task(3, { "cpu/eu": 0.05, "gpu/eu": 0.01 })];
  const [cpu, gpu] = marketsOf(new Map([["cpu/eu", 0.012]]), nodes, waiting);
  assert.deepEqual(cpu, {
    ...{ className: "cpu/eu", price: 0.012, unmet: 10, leased: 5, capacity: 8 },
    bids: [
      { price: 0.05, units: 3 },
      { price: 0.02, units: 7 },
    ],
  });
  assert.deepEqual([gpu?.price, gpu?.unmet, gpu?.capacity], [0.01, 3, 9], "nothing is free there: the best bid");
  const [own] = marketsOf(new Map(), nodes, waiting, "0xa");
  assert.deepEqual([own?.leased, own?.capacity], [3, 8]);
});

test("where nothing is listed no round is opened, and the best bid is the price", () => {
  const full = [machine("cpu/eu", "0xA", true, [8, 8, 0])];
  const hot = [machine("cpu/eu", "0xA", true, [8, 2, 0])];
  for (const nodes of [[], full, hot]) {
    const [market] = marketsOf(new Map([["cpu/eu", 0.012]]), nodes, [task(4, { "cpu/eu": 0.03 })]);
    assert.deepEqual([market?.price, market?.unmet], [0.03, 4]);
  }
  const some = [machine("cpu/eu", "0xA", true, [8, 6, 2])];
  const priceOf = (prices: Map<string, number>, units: number) =>
    marketsOf(prices, some, [task(units, { "cpu/eu": 0.03 })])[0]?.price;
  assert.equal(priceOf(new Map(), 40), 0.03, "a keeper that has just started has seen no round");
  assert.equal(priceOf(new Map(), 2), 0, "what is listed is enough");
  assert.equal(priceOf(new Map([["cpu/eu", 0.012]]), 40), 0.012);
  const [quiet] = marketsOf(new Map([["cpu/eu", 0.012]]), full, []);
  assert.deepEqual([quiet?.price, quiet?.unmet], [0.012, 0]);
});

test("as JSON for an autoscaler, and as metrics: the queue, and what an open round has taken in", async () => {
  const VER = 10n ** 18n;
  const tasks = [
    { id: 5, openUnits: 12, deadline: 100, maxPrice: VER / 25n, classes: [{ classId: 1, surcharge: VER / 100n }] },
    { id: 6, openUnits: 2, deadline: 100, maxPrice: VER / 20n, classes: [{ classId: 1, surcharge: 0n }] },
    { id: 7, openUnits: 9, deadline: 50, maxPrice: VER, classes: [{ classId: 1, surcharge: 0n }] },
  ];
  const reader = {
    block: async () => ({ timestamp: 50 }),
    classes: async () => [
      { id: 1, name: "cpu/eu" },
      { id: 2, name: "gpu/eu" },
    ],
    nodes: async () => [
      { classId: 1, owner: OWNER.replace("aa", "AA"), status: "active", capacity: 8, leased: 8 },
      { classId: 1, owner: "0xB", status: "active", capacity: 4, leased: 4 },
    ],
    queue: async () => [5, 7],
    round: async () => ({ status: "settling", demands: [{ taskId: 6, units: 1 }] }),
    task: async (_pin: unknown, id: number) => tasks.find((each) => each.id === id),
  } as unknown as Reader;
  const registry = new Registry();
  const market = new Market(reader, registry);
  market.note([{ className: "cpu/eu", price: 0.02 }]);
  const ask = (query: string) => market.page(new URLSearchParams(query));
  const bids = [
    { price: 0.05, units: 2 },
    { price: 0.03, units: 12 },
  ];
  const found = { className: "cpu/eu", price: 0.05, unmet: 14, bids };
  assert.deepEqual(await ask(""), { classes: [{ ...found, leased: 12, capacity: 12 }] });
  const mine = { ...found, leased: 8, capacity: 8 };
  assert.deepEqual(await ask(`class=cpu/eu&cost=0.01&owner=${OWNER}`), { ...mine, cost: 0.01, wanted: 22 });
  assert.deepEqual(await ask(`class=cpu/eu&cost=0.04&owner=${OWNER}`), { ...mine, cost: 0.04, wanted: 10 });
  // It is registered, but nobody offers it and nobody wants it.
  const nothing = { className: "gpu/eu", price: 0, unmet: 0, bids: [], leased: 0, capacity: 0, cost: 1, wanted: 0 };
  assert.deepEqual(await ask("class=gpu/eu&cost=1"), nothing);
  const refused = async (query: string, status: number, says: RegExp) => {
    await assert.rejects(ask(query), (error: unknown) => {
      assert.ok(error instanceof PageError, query);
      assert.equal(error.status, status, query);
      assert.match(error.message, says);
      if (status === 404) assert.deepEqual(error.details, { classes: ["cpu/eu", "gpu/eu"] });
      return true;
    });
  };
  for (const name of ["cpu/EU", "cpu", "cpu%2Feu%2F", "gpu-80g/eu"])
    await refused(`class=${name}&cost=1`, 404, /no class/);
  for (const name of ["", "cpu/eu%20", "cpu/eu+", "a".repeat(65)])
    await refused(`class=${name}&cost=1`, 400, /class has/);
  for (const cost of ["", "0,010", "1e3", "-1", "NaN", "0x1", " 1", "1."]) {
    await refused(`class=cpu/eu&cost=${cost}`, 400, /cost has to be an amount/);
  }
  for (const owner of ["", "0xab", "garbage", `${OWNER}0`])
    await refused(`owner=${owner}`, 400, /owner has to be an address/);
  await refused("class=cpu/eu&class=gpu/eu&cost=1", 400, /class is given 2 times/);
  await refused("class=cpu/eu&costs=1", 400, /no parameter "costs"/);
  await refused("cost=1", 400, /needs a class/);
  const text = await registry.metrics();
  assert.match(text, /drmp_class_unmet_units\{class="cpu\/eu"\} 14/);
  assert.match(text, /drmp_unmet_demand_units 14/);
  assert.match(text, /drmp_clearing_price_ver\{class="cpu\/eu"\} 0.05/);
});
