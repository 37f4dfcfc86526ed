import type { BalancingAim, BalancingLease, BalancingNode, Move } from "./model.ts";
import { sidesOf, unitsWithin } from "./sides.ts";
import { planWorthwhile } from "./worthwhile.ts";

/** A node that takes, as a plan fills it. */
interface Taker {
  readonly node: BalancingNode;
  room: number;
  /** With what this plan gives it. */
  load: number;
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
        ({ node, load, room }) => room >= units && average - load > threshold && (lease.accepts?.(node.id) ?? true),
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
