import { askToOffer } from "@verai/agent/node/ask";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import type { RoundTask } from "@verai/protocol/allocation/model";
import { DITHER } from "@verai/protocol/money/units";

/** A market of one class. */
export interface AsksOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Rounds that count, after those in which asks settle. */
  readonly rounds: number;
  readonly warmUp: number;
  /** Units demanded on average, as a share of the units listed. */
  readonly demand: number;
  /** Share of the nodes whose ask follows the clearing prices; the others ask what a unit costs them. */
  readonly following: number;
}

/** What came of it. Money in micro-VER a unit. */
export interface AsksResult {
  /** Units leased, as a share of those that would be if all asked for their cost. */
  readonly leased: number;
  /** What developers and nodes gain together, as a share of the same. */
  readonly gain: number;
  /** What developers pay for a unit, and what it costs those who run it. */
  readonly paid: number;
  readonly cost: number;
  /** Mean clearing price. */
  readonly clearing: number;
  /** Mean profit of a node for each of its units and round: of those that follow, and of the others. */
  readonly followers: number;
  readonly others: number;
  /** Changes of its ask by a node that follows, in a hundred rounds. */
  readonly changes: number;
}

interface SimulatedNode {
  readonly id: number;
  readonly units: number;
  readonly cost: number;
  readonly follows: boolean;
  ask: number;
  profit: number;
  changed: number;
}

const TICK = 100;
const SEED_WORD = 0x9e3779b9;
/** Costs of a unit, and the highest ask of those that follow, micro-VER. */
const [LOWEST, HIGHEST, CEILING] = [4_000, 20_000, 40_000];
const TASKS = 12;
/** Prices that are followed, and rounds between two changes of an ask at least. */
const [PRICES, PAUSE] = [9, 6];

/** A small generator of random numbers (mulberry32): the same seed gives the same market. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Rounds of a market by the real allocation, each with the same demands for every share of followers. All units are free in each round.
 * Followers choose their ask as an agent does with `node.ask.follow`.
 */
export function simulateAsks(options: AsksOptions): AsksResult {
  const { seed, nodes: count, rounds, warmUp, following } = options;
  const random = randomOf(seed);
  const nodes: SimulatedNode[] = Array.from({ length: count }, (_, i) => {
    const cost = Math.round((LOWEST + random() * (HIGHEST - LOWEST)) / TICK) * TICK;
    const units = 1 + Math.floor(random() * 4);
    // Who follows does not depend on what a unit costs.
    return {
      id: i + 1,
      units,
      cost,
      follows: (i * 7) % count < following * count,
      ask: cost,
      profit: 0,
      changed: -PAUSE,
    };
  });
  const listed = nodes.reduce((sum, { units }) => sum + units, 0);
  const sums = { leased: 0, best: 0, gain: 0, bestGain: 0, paid: 0, cost: 0, clearing: 0, cleared: 0, changes: 0 };
  const prices: number[] = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    const tasks = tasksOf(random, options.demand * listed);
    const counts = round >= warmUp;
    for (const node of nodes) {
      if (!node.follows || round - node.changed < PAUSE) continue;
      const { ask: now, cost: floor } = node;
      const facts = { now, floor, prices, ceiling: CEILING, tickSize: TICK, below: 2, step: 3 };
      const ask = askToOffer(facts);
      if (ask === undefined) continue;
      Object.assign(node, { ask, changed: round });
      if (counts) sums.changes += 1;
    }
    const seedOf = (kind: number) =>
      `0x${((seed * SEED_WORD + round * 2 + kind) >>> 0).toString(16).padStart(64, "0")}`;
    const actual = allocate(nodes, tasks, ({ ask }) => ask, seedOf(0));
    const best = allocate(nodes, tasks, ({ cost }) => cost, seedOf(0));
    if (actual.units > 0) {
      prices.unshift(actual.clearing);
      prices.length = Math.min(prices.length, PRICES);
    }
    if (!counts) continue;
    for (const { node, units } of actual.leased) node.profit += units * (node.ask - node.cost);
    sums.leased += actual.units;
    sums.best += best.units;
    sums.gain += actual.gain;
    sums.bestGain += best.gain;
    sums.paid += actual.leased.reduce((sum, { node, units }) => sum + units * node.ask, 0);
    sums.cost += actual.leased.reduce((sum, { node, units }) => sum + units * node.cost, 0);
    if (actual.units > 0) [sums.clearing, sums.cleared] = [sums.clearing + actual.clearing, sums.cleared + 1];
  }
  const profit = (of: readonly SimulatedNode[]) => {
    const units = of.reduce((sum, node) => sum + node.units, 0);
    return units === 0 ? NaN : of.reduce((sum, node) => sum + node.profit, 0) / units / rounds;
  };
  const followers = nodes.filter(({ follows }) => follows);
  return {
    leased: sums.leased / sums.best,
    gain: sums.gain / sums.bestGain,
    paid: sums.paid / sums.leased,
    cost: sums.cost / sums.leased,
    clearing: sums.clearing / sums.cleared,
    followers: profit(followers),
    others: profit(nodes.filter(({ follows }) => !follows)),
    changes: followers.length === 0 ? 0 : (100 * sums.changes) / followers.length / rounds,
  };
}

function tasksOf(random: () => number, mean: number): RoundTask[] {
  // Some rounds want half as much, some half as much again.
  const wanted = mean * (0.5 + random());
  return Array.from({ length: TASKS }, (_, i) => ({
    id: i + 1,
    units: Math.max(1, Math.round((wanted / TASKS) * (0.5 + random()))),
    maxPrice: Math.round(8_000 + random() * 32_000),
    classes: [{ classId: 1, surcharge: 0 }],
  }));
}

function allocate(
  nodes: readonly SimulatedNode[],
  tasks: readonly RoundTask[],
  priceOf: (node: SimulatedNode) => number,
  seed: string,
) {
  const places = new Map<number, number>();
  const listed = nodes.map((node) => {
    const tick = Math.round(priceOf(node) / TICK);
    const position = places.get(tick) ?? 0;
    places.set(tick, position + 1);
    return { id: node.id, tick, units: node.units, position };
  });
  const plan = planRound(
    { roundId: 1, seed, tasks, classes: [{ id: 1, tickSize: TICK, nodes: listed }] },
    networkSimplex,
  );
  if (plan.kind !== "plan") throw new Error(`No plan: ${plan.why}`);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const maxOf = new Map(tasks.map(({ id, maxPrice }) => [id, maxPrice]));
  const leased = plan.rows.map(({ nodeId, taskId, units }) => {
    const node = byId.get(nodeId);
    if (!node) throw new Error(`Node ${nodeId} is unknown.`);
    return { node, units, worth: maxOf.get(taskId) ?? 0 };
  });
  return {
    leased,
    units: leased.reduce((sum, { units }) => sum + units, 0),
    gain: leased.reduce((sum, { node, units, worth }) => sum + units * (worth - node.cost), 0),
    clearing: Math.floor(Number(plan.clearing[0]?.price ?? 0n) / DITHER),
  };
}
