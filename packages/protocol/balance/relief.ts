import type { BalanceLease, Move } from "./moves.ts";

/** A node that may take over a throttled node's work. */
export interface ReliefNode {
  readonly id: number;
  /** Units that it can take. */
  readonly free: number;
  /** Power that a unit takes there, milliwatts: joules per unit and time. */
  readonly unitPower: number;
}

/**
 * Where a throttled node's leases go: each to the most efficient eligible node that has room for it, the largest lease
 * first, and to none that is less efficient than the throttled node itself. A lease that no node has room for as a whole
 * gives as much as the most efficient one can take.
 *
 * Pure. O(n log n + leases × nodes).
 *
 * @param unitPower Of the throttled node, milliwatts.
 * @param leases Of the throttled node. What finds no node stays where it is.
 * @param nodes Eligible ones, without the throttled node.
 */
export function planRelief(unitPower: number, leases: readonly BalanceLease[], nodes: readonly ReliefNode[]): Move[] {
  const order = nodes
    .filter((node) => node.unitPower <= unitPower)
    .sort((a, b) => a.unitPower - b.unitPower || a.id - b.id)
    .map(({ id, free }) => ({ id, room: free }));
  const moves: Move[] = [];
  for (const lease of leases.toSorted((a, b) => b.units - a.units || a.id - b.id)) {
    if (!lease.movable) continue;
    const able = order.filter(({ id, room }) => room > 0 && (lease.accepts?.(id) ?? true));
    const target = able.find(({ room }) => room >= lease.units) ?? able[0];
    if (!target) continue;
    const units = Math.min(lease.units, target.room);
    target.room -= units;
    moves.push({ leaseId: lease.id, from: lease.nodeId, to: target.id, units });
  }
  return moves;
}
