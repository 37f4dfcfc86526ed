import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { seeded } from "../allocation/testing/rounds.ts";
import { averageLoad, redistribute } from "./load.ts";
import type { BalancingAim, BalancingLease, BalancingNode, Move } from "./model.ts";
import { planMoves } from "./moves.ts";
import { planRelief } from "./relief.ts";

const node = (id: number, load: number, changes: Partial<BalancingNode> = {}): BalancingNode => ({
  id,
  load,
  unitLoad: 1000,
  free: 10,
  settled: true,
  eligible: true,
  ...changes,
});
const lease = (id: number, nodeId: number, units: number, changes: Partial<BalancingLease> = {}): BalancingLease => ({
  id,
  nodeId,
  units,
  movable: true,
  ...changes,
});
const aim = (average: number, threshold = 1000, hysteresis = 0): BalancingAim => ({ average, threshold, hysteresis });

test("the published example, in leases: 70, 30, 50 with a band of 10 becomes 50, 50, 50", () => {
  const nodes = [node(1, 7000), node(2, 3000), node(3, 5000)];
  assert.deepEqual(redistribute([70, 30, 50], 10).loads, [50, 50, 50]);
  const one = planMoves(nodes, [lease(11, 1, 2)], aim(5000));
  assert.deepEqual(one, [{ leaseId: 11, from: 1, to: 2, units: 2 }]);
  // One unit is enough to be back in the band: one migration of the smallest work that does it.
  const small = planMoves(nodes, [lease(11, 1, 2), lease(12, 1, 1), lease(13, 1, 3)], aim(5000));
  assert.deepEqual(small, [{ leaseId: 12, from: 1, to: 2, units: 1 }]);
});

test("as few migrations as possible: one large lease rather than two small ones, two that fit rather than none", () => {
  const hot = [node(1, 9000), node(2, 1000), node(3, 1000)];
  const pick = (units: readonly number[]): number[] =>
    planMoves(
      hot,
      units.map((count, i) => lease(i + 1, 1, count)),
      aim(5000),
    )
      .map(({ units: moved }) => moved)
      .sort();
  assert.deepEqual(pick([1, 1, 1, 3]), [3]);
  assert.deepEqual(pick([1, 2, 2]), [1, 2]);
  // The largest first would get stuck with 4 and leave nothing that fits beside it.
  assert.deepEqual(pick([6, 2, 2]), [2, 2]);
  // No whole lease will do: three units of one are enough, and it is one migration.
  assert.deepEqual(pick([6]), [3]);
  assert.deepEqual(pick([6, 1]), [1, 2]);
});

test("only what gains more than it costs moves, as long as each unit does, and the best first where units are few", () => {
  const worth = { point: 0.006, hours: 0.5, transactions: 0.01, pause: 0.05 };
  const nodes = [node(1, 9000), node(2, 7000), node(3, 1000), node(4, 3000)];
  const plan = (price: number, changes: Partial<BalancingAim> = {}) =>
    planMoves(nodes, [lease(11, 1, 6, { price }), lease(12, 2, 6, { price })], { ...aim(5000), worth, ...changes });
  const units = (moves: readonly Move[]) => moves.map((move) => [move.leaseId, move.to, move.units]);
  // Work that costs nothing to stop moves as far as the band; the coldest node takes first.
  assert.deepEqual(units(plan(0)), [
    [11, 3, 3],
    [12, 4, 1],
  ]);
  for (const { net } of plan(0)) assert.ok(net !== undefined && net > 0);
  // A unit from 40 to 30 points at both ends gains 0.21 VER, the next one 0.15, one from 20 to 10 points only 0.09.
  assert.deepEqual(units(plan(3)), [[11, 3, 1]]);
  assert.deepEqual(units(plan(2.5)), [[11, 3, 2]]);
  assert.deepEqual(plan(5), []);
  assert.deepEqual(plan(0, { worth: { ...worth, transactions: 1 } }), []);
  assert.deepEqual(units(plan(0, { mostUnits: 3 })), [[11, 3, 3]]);
  assert.deepEqual(units(plan(0, { mostUnits: 1 })), [[11, 3, 1]]);
  assert.deepEqual(plan(0, { mostUnits: 0 }), []);
  // Node 1 stays above the load at which the market would fill it again, node 2 gives nothing.
  assert.deepEqual(units(plan(0, { refill: 7000 })), [[11, 3, 1]]);
  assert.deepEqual(plan(0, { refill: 9000 }), []);
});

test("what is worth it comes of the hottest nodes and goes to many cold ones, a little each", () => {
  const worth = { point: 0.006, hours: 0.5, transactions: 0, pause: 0.05 };
  const nodes = [node(1, 9000), node(2, 8900), node(3, 1000), node(4, 1000), node(5, 1000)];
  const leases = [lease(11, 1, 4), lease(12, 1, 4), lease(13, 2, 4)];
  const moves = planMoves(nodes, leases, { ...aim(5000), worth, mostUnits: 3 });
  assert.deepEqual(moves.map(({ from, to, units }) => [from, to, units]).sort(), [
    [1, 3, 1],
    [1, 5, 1],
    [2, 4, 1],
  ]);
});

test("nodes that have not reported since, are not eligible, or lie within band and hysteresis take no part", () => {
  const leases = [lease(1, 1, 2), lease(2, 1, 2, { movable: false })];
  const plan = (nodes: BalancingNode[], changes = {}) => planMoves(nodes, leases, { ...aim(5000), ...changes });
  assert.equal(plan([node(1, 7000), node(2, 3000)]).length, 1);
  assert.deepEqual(plan([node(1, 7000, { settled: false }), node(2, 3000)]), []);
  assert.deepEqual(plan([node(1, 7000), node(2, 3000, { settled: false })]), []);
  assert.deepEqual(plan([node(1, 7000), node(2, 3000, { eligible: false })]), []);
  assert.deepEqual(plan([node(1, 7000), node(2, 3000, { free: 0 })]), []);
  assert.deepEqual(plan([node(1, 6000), node(2, 3000)]), []);
  assert.deepEqual(plan([node(1, 7000), node(2, 4000)]), []);
  assert.deepEqual(plan([node(1, 6200), node(2, 3000)], { hysteresis: 200 }), []);
  assert.deepEqual(
    planMoves([node(1, 7000), node(2, 3000)], [lease(1, 1, 2, { accepts: () => false })], aim(5000)),
    [],
  );
});

/** A network of nodes whose load is what they run, and something of their owner's. */
interface Network {
  readonly nodes: readonly { readonly capacity: number; readonly owner: number }[];
  readonly leases: readonly { readonly node: number; readonly units: number }[];
}

const networks: fc.Arbitrary<Network> = fc
  .array(fc.record({ capacity: fc.integer({ min: 1, max: 16 }), owner: fc.integer({ min: 0, max: 5000 }) }), {
    minLength: 2,
    maxLength: 14,
  })
  .chain((nodes) =>
    fc.record({
      nodes: fc.constant(nodes),
      leases: fc.array(fc.record({ node: fc.nat(nodes.length - 1), units: fc.integer({ min: 1, max: 5 }) }), {
        maxLength: 40,
      }),
    }),
  );

/** Runs a network: who holds what, and what it then reports. */
class Simulated {
  /** With the nodes that held it, the present one last. */
  readonly leases: { units: number; readonly held: readonly number[] }[];
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
    // What does not fit is not leased.
    const free = network.nodes.map(({ capacity }) => capacity);
    this.leases = network.leases.flatMap(({ node: id, units }) => {
      if ((free[id] ?? 0) < units) return [];
      free[id] = (free[id] ?? 0) - units;
      return [{ units, held: [id] }];
    });
  }

  load(id: number): number {
    const { capacity, owner } = this.#network.nodes[id] ?? { capacity: 1, owner: 0 };
    return owner + (this.#used(id) * 5000) / capacity;
  }

  plan(
    noise: () => number,
    threshold: number,
    hysteresis: number,
    changes: Partial<BalancingAim> = {},
  ): { nodes: BalancingNode[]; moves: Move[]; average: number } {
    const nodes = this.#network.nodes.map(({ capacity }, id) =>
      node(id, Math.max(0, this.load(id) + noise()), { unitLoad: 5000 / capacity, free: capacity - this.#used(id) }),
    );
    const leases = this.leases.flatMap(({ units, held }, id) =>
      units > 0 ? [lease(id, held.at(-1) ?? -1, units)] : [],
    );
    const average = averageLoad(nodes.map(({ load }) => load));
    return { nodes, average, moves: planMoves(nodes, leases, { average, threshold, hysteresis, ...changes }) };
  }

  /** What moves becomes a lease of its own, as on chain. */
  apply(moves: readonly Move[]): void {
    for (const { leaseId, from, to, units } of moves) {
      const lease = this.leases[leaseId];
      assert.ok(lease?.held.at(-1) === from && units <= lease.units);
      const moved = { units, held: [...lease.held, to] };
      lease.units -= units;
      this.leases.push(moved);
    }
  }

  #used(id: number): number {
    return this.leases.reduce((sum, { units, held }) => sum + (held.at(-1) === id ? units : 0), 0);
  }
}

const WORTH = { point: 0.006, hours: 0.5, transactions: 0.001, pause: 0.01 };

for (const [what, changes] of [
  ["whatever it costs", {}],
  ["where only what is worth it moves", { worth: WORTH, mostUnits: 12, refill: 4000 }],
] as const) {
  test(`both ends lie outside the band, none is overbooked or crosses the average by more than a unit: ${what}`, () => {
    let planned = 0;
    fc.assert(
      fc.property(networks, fc.integer({ min: 0, max: 2000 }), (network, threshold) => {
        const { nodes, moves, average } = new Simulated(network).plan(() => 0, threshold, 0, changes);
        planned += moves.length;
        assert.equal(new Set(moves.map(({ leaseId }) => leaseId)).size, moves.length);
        if ("worth" in changes) {
          assert.ok(moves.reduce((sum, { units }) => sum + units, 0) <= changes.mostUnits);
          for (const { net } of moves) assert.ok(net !== undefined && net > 0);
        }
        for (const { id, load, unitLoad, free } of nodes) {
          const given = moves.filter(({ from }) => from === id).reduce((sum, { units }) => sum + units, 0);
          const taken = moves.filter(({ to }) => to === id).reduce((sum, { units }) => sum + units, 0);
          const after = load + (taken - given) * unitLoad;
          if (given > 0) assert.ok(taken === 0 && load > average + threshold && after >= average - unitLoad - 1e-6);
          if (given > 0 && "refill" in changes) assert.ok(after > changes.refill);
          if (taken > 0) assert.ok(load < average - threshold && after <= average + unitLoad + 1e-6 && taken <= free);
          if (given + taken > 0) assert.ok(Math.abs(after - average) <= Math.abs(load - average) + 1e-6);
        }
      }),
      seeded(500),
    );
    assert.ok(planned > 100, "the networks gave something to plan");
  });
}

test("a giver's migrations are the fewest there are: no smaller choice of its leases brings it into the band", () => {
  let compared = 0;
  const units = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(units, fc.integer({ min: 5000, max: 9900 }), (counts, load) => {
      const leases = counts.map((count, i) => lease(i, 1, count));
      // Enough cold nodes that where to never is the question.
      const cold = counts.map((_, i) => node(2 + i, 0, { unitLoad: 100, free: 40 }));
      const moves = planMoves([node(1, load, { unitLoad: 400 }), ...cold], leases, aim(4000));
      const [least, most] = [Math.ceil((load - 5000) / 400), Math.floor((load - 4000 + 400) / 400)];
      let fewest = Infinity;
      for (let choice = 1; choice < 2 ** counts.length; choice++) {
        const chosen = counts.filter((_, i) => (choice >> i) & 1);
        const sum = chosen.reduce((total, count) => total + count, 0);
        if (sum >= least && sum <= most) fewest = Math.min(fewest, chosen.length);
      }
      if (load <= 5000) return;
      const sum = moves.reduce((total, move) => total + move.units, 0);
      const split = moves.filter(({ leaseId, units: moved }) => moved < (counts[leaseId] ?? 0)).length;
      assert.ok(sum <= most && split <= 1);
      if (fewest === Infinity) {
        // A part of one lease makes up for what whole ones cannot give, if there is as much.
        assert.ok(sum >= Math.min(least, 1));
        return;
      }
      compared += 1;
      assert.equal(moves.length, fewest);
      assert.ok(split === 0 && sum >= least);
    }),
    seeded(400),
  );
  assert.ok(compared > 100);
});

/** Plans and applies until nothing is left to move. */
function settle(simulated: Simulated, threshold: number, hysteresis: number): Move[] {
  const all: Move[] = [];
  for (let round = 0; ; round++) {
    const { moves } = simulated.plan(() => 0, threshold, hysteresis);
    if (moves.length === 0) return all;
    assert.ok(round < 20, "it ends");
    simulated.apply(moves);
    all.push(...moves);
  }
}

test("planning again and again among equal machines ends, and a node that gave never takes", () => {
  fc.assert(
    fc.property(networks, fc.integer({ min: 0, max: 2000 }), (network, threshold) => {
      const equal = { ...network, nodes: network.nodes.map(({ owner }) => ({ owner, capacity: 12 })) };
      const moves = settle(new Simulated(equal), threshold, 0);
      const gave = new Set(moves.map(({ from }) => from));
      for (const { to } of moves) assert.ok(!gave.has(to), `node ${to} gave and took`);
    }),
    seeded(500),
  );
});

test("planning again and again among unequal machines ends, and no unit ever comes back", () => {
  fc.assert(
    fc.property(networks, fc.integer({ min: 300, max: 2000 }), (network, threshold) => {
      const simulated = new Simulated(network);
      settle(simulated, threshold, 200);
      for (const { held } of simulated.leases) assert.equal(new Set(held).size, held.length, held.join(" → "));
    }),
    seeded(500),
  );
});

test("reports that are off by up to a quarter of the hysteresis never make a lease come and go", () => {
  const noises = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(networks, noises, fc.integer({ min: 300, max: 1500 }), (network, values, threshold) => {
      const simulated = new Simulated(network);
      let at = 0;
      for (let round = 0; round < 40; round++) {
        const { moves } = simulated.plan(() => values[at++ % values.length] ?? 0, threshold, 400);
        simulated.apply(moves);
      }
      for (const { held } of simulated.leases) assert.equal(new Set(held).size, held.length, held.join(" → "));
    }),
    seeded(200),
  );
});

test("a throttled node's work goes to the most efficient nodes that have room, in their order", () => {
  const leases = [lease(1, 9, 2), lease(2, 9, 4), lease(3, 9, 1, { accepts: (id) => id === 4 }), lease(4, 9, 9)];
  const nodes = [
    { id: 1, free: 80, joules: 1001 },
    { id: 2, free: 5, joules: 300 },
    { id: 3, free: 3, joules: 200 },
    { id: 4, free: 8, joules: 900 },
  ];
  assert.deepEqual(planRelief(1000, leases, nodes), [
    // No node that is efficient enough has room for nine.
    { leaseId: 4, from: 9, to: 3, units: 3 },
    { leaseId: 2, from: 9, to: 2, units: 4 },
    { leaseId: 1, from: 9, to: 4, units: 2 },
    { leaseId: 3, from: 9, to: 4, units: 1 },
  ]);
  assert.deepEqual(planRelief(1000, [lease(1, 9, 1, { movable: false })], nodes), []);
  assert.deepEqual(planRelief(100, leases, nodes), []);
});
