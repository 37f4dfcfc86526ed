import type { BalancingAim, BalancingLease, BalancingNode, Move } from "./model.ts";
import { sidesOf, unitsWithin } from "./sides.ts";
import { type BalancingWorth, gainOfMove, pauseCost } from "./worth.ts";

/** A node that takes, as a plan fills it. */
interface Taker {
  readonly node: BalancingNode;
  room: number;
  /** With what the plan gives it. */
  load: number;
  /** What the next unit gains at its end, VER. */
  gain: number;
}

/** A move that the plan may still make larger. */
interface Planned {
  readonly lease: BalancingLease;
  readonly taker: Taker;
  units: number;
  net: number;
}

/** A node that gives. */
interface Giver {
  readonly node: BalancingNode;
  readonly own: readonly BalancingLease[];
  /** Units that it may give at most. */
  readonly most: number;
  readonly moves: Map<number, Planned>;
  given: number;
}

/** The next unit of a giver: of a move that is planned, or the first of another one. */
interface Step {
  readonly giver: Giver;
  readonly lease: BalancingLease;
  readonly taker: Taker;
  readonly net: number;
}

/**
 * Plans the moves that gain the most for each unit, as long as each unit gains more than its pause costs and the units that may
 * move are not used up. Units are chosen one by one, wherever the next one gains most: the hottest nodes give first, each a little,
 * and many cold nodes take a little, which brings the spread down farther than relieving few nodes wholly. The first unit of a
 * move bears its transactions.
 *
 * No node is relieved below {@link BalancingAim.refill}: the market would fill it again at once.
 *
 * Pure. O(units that move × (givers + leases of one) + takers × log takers), where nearly all takers accept a lease.
 */
export function planWorthwhile(
  nodes: readonly BalancingNode[],
  leases: readonly BalancingLease[],
  aim: BalancingAim & { readonly worth: BalancingWorth },
): Move[] {
  const { average, threshold, worth, refill = -Infinity } = aim;
  const sides = sidesOf(nodes, aim);
  const saved = (distance: number, unitLoad: number) => gainOfMove([{ distance, unitLoad }], 1, threshold, worth);
  const takers = sides.takers
    .map((node): Taker => {
      const room = Math.min(node.free, unitsWithin(average - node.load, node.unitLoad, threshold));
      return { node, room, load: node.load, gain: saved(average - node.load, node.unitLoad) };
    })
    .sort((a, b) => b.gain - a.gain || a.node.id - b.node.id);
  const byNode = Map.groupBy(
    leases.filter(({ movable }) => movable),
    ({ nodeId }) => nodeId,
  );
  const givers = sides.givers.map((node): Giver => {
    const into = Math.ceil((node.load - average - threshold) / node.unitLoad);
    const above = Math.ceil((node.load - refill) / node.unitLoad) - 1;
    const most = Math.min(into, above, unitsWithin(node.load - average, node.unitLoad, threshold));
    return { node, own: byNode.get(node.id) ?? [], most, moves: new Map(), given: 0 };
  });

  const next = (giver: Giver): Step | undefined => {
    if (giver.given >= giver.most) return undefined;
    const { node, own, moves, given } = giver;
    const gain = saved(node.load - average - given * node.unitLoad, node.unitLoad);
    let best: Step | undefined;
    for (const lease of own) {
      const planned = moves.get(lease.id);
      if (planned && (planned.units === lease.units || planned.taker.room === 0)) continue;
      const taker = planned?.taker ?? takers.find((each) => canBegin(each, lease, aim));
      if (!taker) continue;
      const cost = pauseCost(1, lease.price ?? 0, worth) + (planned ? 0 : worth.transactions);
      const net = gain + taker.gain - cost;
      if (net > (best?.net ?? 0)) best = { giver, lease, taker, net };
    }
    return best;
  };

  let left = aim.mostUnits ?? Infinity;
  // A step of one giver lowers what others' steps gain only by what a taker has less: they are looked at again when they come up.
  const steps = givers.flatMap((giver) => next(giver) ?? []).sort((a, b) => a.net - b.net);
  while (left > 0) {
    const last = steps.pop();
    if (!last) break;
    const step = next(last.giver);
    if (!step) continue;
    if (step.net < (steps.at(-1)?.net ?? -Infinity)) {
      insert(steps, step);
      continue;
    }
    take(step);
    left -= 1;
    const after = next(step.giver);
    if (after) insert(steps, after);
  }
  return givers.flatMap(({ node, moves }) =>
    [...moves.values()].map(({ lease, taker, units, net }) => {
      return { leaseId: lease.id, from: node.id, to: taker.node.id, units, net };
    }),
  );

  function take({ giver, lease, taker, net }: Step): void {
    const planned = giver.moves.get(lease.id) ?? { lease, taker, units: 0, net: 0 };
    planned.units += 1;
    planned.net += net;
    giver.moves.set(lease.id, planned);
    giver.given += 1;
    takers.splice(takers.indexOf(taker), 1);
    taker.room -= 1;
    taker.load += taker.node.unitLoad;
    taker.gain = saved(average - taker.load, taker.node.unitLoad);
    if (taker.room > 0)
      takers.splice(
        placeOf(takers, (each) => each.gain >= taker.gain),
        0,
        taker,
      );
  }
}

/** Whether a node below the band may take the first unit of a lease. */
function canBegin({ node, load, room }: Taker, lease: BalancingLease, { average, threshold }: BalancingAim): boolean {
  return room > 0 && average - load > threshold && (lease.accepts?.(node.id) ?? true);
}

function insert(steps: Step[], step: Step): void {
  steps.splice(
    placeOf(steps, ({ net }) => net < step.net),
    0,
    step,
  );
}

/** First place of a list at which the condition, which holds for its first entries alone, no longer holds. O(log n). */
function placeOf<T>(list: readonly T[], holds: (each: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
