import type { BalanceLease, Move } from "./moves.ts";

/** A node that may take over a throttled node's work. */
export interface ReliefNode {
  readonly id: number;
  /** Units that it can take. */
  readonly free: number;
  /** Energy that a unit takes there, joules; undefined if it has done none yet. */
  readonly joulesPerUnit: number | undefined;
}

/**
 * Where a throttled node's leases go: each to the most efficient eligible node that has room for it, the largest lease
 * first. A node that has never run a unit comes after those whose efficiency is known.
 *
 * Pure. O(n log n + leases × nodes).
 *
 * @param leases Of the throttled node. What finds no node stays where it is.
 * @param nodes Eligible ones, without the throttled node.
 */
export function planRelief(leases: readonly BalanceLease[], nodes: readonly ReliefNode[]): Move[] {
  const order = nodes
    .toSorted((a, b) => (a.joulesPerUnit ?? Infinity) - (b.joulesPerUnit ?? Infinity) || a.id - b.id)
    .map(({ id, free }) => ({ id, room: free }));
  const moves: Move[] = [];
  for (const lease of leases.toSorted((a, b) => b.units - a.units || a.id - b.id)) {
    if (!lease.movable) continue;
    const target = order.find(({ id, room }) => room >= lease.units && (lease.accepts?.(id) ?? true));
    if (!target) continue;
    target.room -= lease.units;
    moves.push({ leaseId: lease.id, from: lease.nodeId, to: target.id, units: lease.units });
  }
  return moves;
}
