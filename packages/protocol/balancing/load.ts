/** A part of one node's load that another takes over. */
export interface LoadMove {
  /** Indices of the nodes. */
  readonly from: number;
  readonly to: number;
  /** In the unit of the loads. */
  readonly amount: number;
}

/** Loads after a redistribution, and the moves that lead there. */
export interface Redistribution {
  readonly loads: readonly number[];
  readonly moves: readonly LoadMove[];
}

/**
 * Average load L_avg = (1/N)·Σ L_i; 0 if there are no nodes. O(n).
 *
 * @throws RangeError if a load is negative or no finite number.
 */
export function averageLoad(loads: readonly number[]): number {
  for (const load of loads) {
    if (!Number.isFinite(load) || load < 0)
      throw new RangeError(`${load} is no load: loads are finite and at least 0.`);
  }
  return loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load, 0) / loads.length;
}

/**
 * The published redistribution rule, for loads that can be divided at will: nodes above L_avg + τ, in their order, give
 * what they have above the average to nodes below L_avg − τ, in their order, each up to the average. Nodes within the
 * band take no part. No node crosses the average, and the sum stays what it was.
 *
 * O(n).
 *
 * @example redistribute([70, 30, 50], 10).loads // [50, 50, 50]
 * @param loads - Load of each node, in any one unit.
 * @param threshold - τ, in the same unit.
 * @throws RangeError if a load or the threshold is negative or no finite number.
 */
export function redistribute(loads: readonly number[], threshold: number): Redistribution {
  const average = averageLoad(loads);
  if (!Number.isFinite(threshold) || threshold < 0) {
    throw new RangeError(`${threshold} is no threshold: it is finite and at least 0.`);
  }
  const excesses = outside(loads, (load) => load - average, threshold);
  const deficits = outside(loads, (load) => average - load, threshold);

  const moves: LoadMove[] = [];
  const after = [...loads];
  let next = 0;
  for (const giver of excesses) {
    let left = giver.amount;
    for (let taker = deficits[next]; left > 0 && taker; taker = deficits[next]) {
      const amount = Math.min(left, taker.amount);
      moves.push({ from: giver.node, to: taker.node, amount });
      left -= amount;
      taker.amount -= amount;
      // A node that is done lands on the average itself, not beside it by a rounding error.
      after[taker.node] = taker.amount === 0 ? average : average - taker.amount;
      after[giver.node] = left === 0 ? average : average + left;
      if (taker.amount === 0) next += 1;
    }
  }
  return { loads: after, moves };
}

function outside(
  loads: readonly number[],
  distance: (load: number) => number,
  threshold: number,
): { node: number; amount: number }[] {
  return loads.map((load, node) => ({ node, amount: distance(load) })).filter(({ amount }) => amount > threshold);
}
