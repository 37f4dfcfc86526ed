import { sidesOf, unitsWithin } from "./sides.ts";
import type { BalancingWorth } from "./worth.ts";
import { planWorthwhile } from "./worthwhile.ts";

/** A node as the planning of moves takes it. Loads in basis points. */
export interface BalancingNode {
  readonly id: number;
  /** At its last report. */
  readonly load: number;
  /** What one unit adds to its load. */
  readonly unitLoad: number;
  /** Units that it can take. */
  readonly free: number;
  /**
   * Whether its load can be trusted to show what it holds now: it has reported since work last came to it or left it, and
   * nothing is on its way. A node that is not settled neither gives nor takes.
   */
  readonly settled: boolean;
  /** Whether it may be given work. */
  readonly eligible: boolean;
}

/** A lease as the planning of moves takes it. */
export interface BalancingLease {
  readonly id: number;
  readonly nodeId: number;
  readonly units: number;
  /** Whether it may be moved now: active, not moved lately. */
  readonly movable: boolean;
  /** Of a unit, VER; left out: 0. */
  readonly price?: number;
  /** Whether another node may hold it (class, price); left out: any. */
  readonly accepts?: (nodeId: number) => boolean;
}

/** A lease that goes to another node. */
export interface Move {
  readonly leaseId: number;
  readonly from: number;
  readonly to: number;
  /** The last ones of the lease; all of them where it can be. */
  readonly units: number;
  /** What it gains beyond its cost, VER; of plans with {@link BalancingAim.worth}. */
  readonly net?: number;
}

/** A node that takes, as a plan fills it. */
interface Taker {
  readonly node: BalancingNode;
  room: number;
  /** With what this plan gives it. */
  load: number;
}

/** What is aimed at. Basis points. */
export interface BalancingAim {
  /** L_avg. */
  readonly average: number;
  /** τ: a node farther from the average than this is unbalanced. */
  readonly threshold: number;
  /** How far beyond τ a node has to be before it gives or takes, so that noise moves no work. */
  readonly hysteresis: number;
  /** Only what gains more than it costs is moved; left out: whatever brings nodes back into the band. */
  readonly worth?: BalancingWorth;
  /** Units that may move where only what is worth it does: those that gain the most each. Left out: any number. */
  readonly mostUnits?: number;
  /** Load up to which the market gives a node new work: where only what is worth it moves, none is relieved below it. */
  readonly refill?: number;
}

/**
 * Plans moves from nodes above L_avg + τ to nodes below L_avg − τ, the most loaded first, each with as few migrations as
 * bring it back into the band, and among those with the least work moved. Leases move as a whole; only where no choice of
 * whole ones is enough, one of them gives a part of its units. With {@link BalancingAim.worth}, only what gains more than it
 * costs moves: see {@link planWorthwhile}.
 *
 * No end crosses the average by more than one unit's worth, nor by more than τ. The latter means that a node which gives
 * never becomes one that takes, nor the other way round: a plan is never undone by a later one, however often one plans,
 * as long as loads and the average do not change otherwise (it moves a little where a unit is more load here than there). With reports that are off by at most a quarter of the hysteresis (a load and
 * the average, at two times) it also holds.
 *
 * Pure. O(n log n + moves × takers + givers × leases of each × units).
 */
export function planMoves(
  nodes: readonly BalancingNode[],
  leases: readonly BalancingLease[],
  aim: BalancingAim,
): Move[] {
  const { average, threshold, worth } = aim;
  if (worth) return planWorthwhile(nodes, leases, { ...aim, worth });
  const sides = sidesOf(nodes, aim);
  const takers = sides.takers.map((node): Taker => {
    const room = Math.min(node.free, unitsWithin(average - node.load, node.unitLoad, threshold));
    return { node, room, load: node.load };
  });
  const byNode = Map.groupBy(
    leases.filter(({ movable }) => movable),
    ({ nodeId }) => nodeId,
  );
  const moves: Move[] = [];
  for (const giver of sides.givers) {
    const most = unitsWithin(giver.load - average, giver.unitLoad, threshold);
    const into = Math.ceil((giver.load - average - threshold) / giver.unitLoad);
    const takerOf = (lease: BalancingLease, units: number): Taker | undefined =>
      takers.find(
        ({ node, load, room }) =>
          room >= units && average - load > threshold && (lease.accepts?.(node.id) ?? true),
      );
    const own = byNode.get(giver.id) ?? [];
    let needed = into;
    const give = (lease: BalancingLease, units: number): boolean => {
      const taker = takerOf(lease, units);
      if (!taker) return false;
      taker.room -= units;
      taker.load += units * taker.node.unitLoad;
      needed -= units;
      moves.push({ leaseId: lease.id, from: giver.id, to: taker.node.id, units });
      return true;
    };
    const whole = own.filter((lease) => takerOf(lease, lease.units));
    const chosen = fewest(whole, into, most).toSorted((a, b) => b.units - a.units || a.id - b.id);
    const gone = new Set(chosen.filter((lease) => give(lease, lease.units)));
    if (needed <= 0 || into > most) continue;
    // What is missing comes from one lease that has more than that; all that one taker has room for is better than nothing.
    const rest = own.filter((lease) => !gone.has(lease)).sort((a, b) => a.units - b.units || a.id - b.id);
    const larger = rest.filter(({ units }) => units > needed);
    for (let units = needed; units > 0; units--) if (larger.some((lease) => give(lease, units))) break;
  }
  return moves;
}

/**
 * The fewest leases whose units sum up to at least `least` and at most `most`; of several such choices the one with the
 * fewest units. If there is none, those that come closest from below. O(leases × most), the shortest sum of subsets.
 */
function fewest(leases: readonly BalancingLease[], least: number, most: number): BalancingLease[] {
  // best[sum]: the fewest leases with that sum, as a chain back to the empty choice.
  interface Chain {
    readonly lease: BalancingLease;
    readonly before: Chain | undefined;
    readonly count: number;
  }
  const best: (Chain | undefined)[] = [];
  const countAt = (sum: number): number => (sum === 0 ? 0 : (best[sum]?.count ?? Infinity));
  for (const lease of leases) {
    for (let sum = most; sum >= lease.units; sum--) {
      const count = countAt(sum - lease.units) + 1;
      if (count < countAt(sum)) best[sum] = { lease, before: best[sum - lease.units], count };
    }
  }
  let choice = 0;
  for (let sum = 1; sum <= most; sum++) {
    if (!best[sum]) continue;
    const enough = choice >= least;
    if (!enough || countAt(sum) < countAt(choice)) choice = sum;
  }
  const chosen: BalancingLease[] = [];
  for (let chain = best[choice]; chain; chain = chain.before) chosen.push(chain.lease);
  return chosen;
}
