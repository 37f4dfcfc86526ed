import { type BalancingWorth, gainOfMove, pauseCost } from "./worth.ts";

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
  /** Units that may move: those that gain the most each. Left out: any number. */
  readonly mostUnits?: number;
}

/**
 * Plans moves from nodes above L_avg + τ to nodes below L_avg − τ, the most loaded first, each with as few migrations as
 * bring it back into the band, and among those with the least work moved. Leases move as a whole; only where no choice of
 * whole ones is enough, one of them gives a part of its units.
 *
 * With {@link BalancingAim.worth}, a node gives no more units than each gain more than their pause costs, even if it stays
 * outside the band, and no move is planned that gains less than its transactions and its pause cost.
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
  const { average, threshold, hysteresis, worth } = aim;
  const edge = threshold + hysteresis;
  const outside = nodes.filter(({ settled }) => settled);
  const givers = outside.filter(({ load }) => load - average > edge).sort((a, b) => b.load - a.load || a.id - b.id);
  const takers = outside
    .filter(({ load, eligible, free }) => eligible && free > 0 && average - load > edge)
    .sort((a, b) => a.load - b.load || a.id - b.id)
    .map((node): Taker => {
      const room = Math.min(node.free, unitsWithin(average - node.load, node.unitLoad, threshold));
      return { node, room, load: node.load };
    });
  const byNode = Map.groupBy(
    leases.filter(({ movable }) => movable),
    ({ nodeId }) => nodeId,
  );
  const moves: Move[] = [];
  for (const giver of givers) {
    const most = unitsWithin(giver.load - average, giver.unitLoad, threshold);
    const into = Math.ceil((giver.load - average - threshold) / giver.unitLoad);
    /** Units that it has given in this plan. */
    let given = 0;
    /** What the next units gain if they go to this node. */
    const gain = ({ node, load }: Taker, units: number): number => {
      if (worth === undefined) return Infinity;
      const from = { distance: giver.load - average - given * giver.unitLoad, unitLoad: giver.unitLoad };
      return gainOfMove([from, { distance: average - load, unitLoad: node.unitLoad }], units, threshold, worth);
    };
    const takerOf = (lease: BalancingLease, units: number): { taker: Taker; net: number } | undefined => {
      const can = (taker: Taker): boolean =>
        taker.room >= units && average - taker.load > threshold && (lease.accepts?.(taker.node.id) ?? true);
      if (worth === undefined) {
        const taker = takers.find(can);
        return taker && { taker, net: 0 };
      }
      const cost = worth.transactions + pauseCost(units, lease.price ?? 0, worth);
      let best: { taker: Taker; net: number } | undefined;
      for (const taker of takers) {
        const net = gain(taker, units) - cost;
        if (net > (best?.net ?? 0) && can(taker)) best = { taker, net };
      }
      return best;
    };
    const own = byNode.get(giver.id) ?? [];
    const least = worth === undefined ? into : Math.min(into, unitsWorthMoving(giver, own, takers, aim, worth));
    if (least <= 0) continue;
    const whole = own.filter((lease) => takerOf(lease, lease.units));
    let needed = least;
    const give = (lease: BalancingLease, units: number): boolean => {
      const { taker, net = 0 } = takerOf(lease, units) ?? {};
      if (!taker) return false;
      taker.room -= units;
      taker.load += units * taker.node.unitLoad;
      needed -= units;
      given += units;
      moves.push({ leaseId: lease.id, from: giver.id, to: taker.node.id, units, ...(worth && { net }) });
      return true;
    };
    // Where each unit that moves has its price, none moves that need not.
    const chosen = fewest(whole, least, worth === undefined ? most : least).toSorted(
      (a, b) => b.units - a.units || a.id - b.id,
    );
    const gone = new Set(chosen.filter((lease) => give(lease, lease.units)));
    if (needed <= 0 || least > most) continue;
    // What is missing comes from one lease that has more than that; all that one taker has room for is better than nothing.
    const rest = own.filter((lease) => !gone.has(lease)).sort((a, b) => a.units - b.units || a.id - b.id);
    const larger = rest.filter(({ units }) => units > needed);
    for (let units = needed; units > 0; units--) if (larger.some((lease) => give(lease, units))) break;
  }
  return aim.mostUnits === undefined ? moves : best(moves, aim.mostUnits);
}

/** The moves that gain the most for each unit, up to so many units. */
function best(moves: readonly Move[], most: number): Move[] {
  let left = most;
  return moves
    .toSorted((a, b) => (b.net ?? 0) / b.units - (a.net ?? 0) / a.units || a.leaseId - b.leaseId)
    .filter(({ units }) => {
      if (units > left) return false;
      left -= units;
      return true;
    });
}

/** Units that a node gives as long as each of them gains more than its pause costs, if the coldest node took them all. */
function unitsWorthMoving(
  giver: BalancingNode,
  own: readonly BalancingLease[],
  takers: readonly Taker[],
  { average, threshold }: BalancingAim,
  worth: BalancingWorth,
): number {
  const coldest = takers.reduce<Taker | undefined>((best, it) => (best && best.load <= it.load ? best : it), undefined);
  const cheapest = own.reduce((least, { price = 0 }) => Math.min(least, price), Infinity);
  if (!coldest || own.length === 0) return 0;
  const cost = pauseCost(1, cheapest, worth);
  let units = 0;
  for (; units * giver.unitLoad < giver.load - average; units++) {
    const from = { distance: giver.load - average - units * giver.unitLoad, unitLoad: giver.unitLoad };
    const to = { distance: average - coldest.load - units * coldest.node.unitLoad, unitLoad: coldest.node.unitLoad };
    if (gainOfMove([from, to], 1, threshold, worth) <= cost) break;
  }
  return units;
}

/** Units that a node at this distance may give or take: to the average and one unit's worth beyond, but no farther than τ. */
function unitsWithin(distance: number, unitLoad: number, threshold: number): number {
  return Math.max(0, Math.floor((distance + Math.min(unitLoad, threshold)) / unitLoad));
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
