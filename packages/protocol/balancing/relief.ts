import type { BalancingLease, Move } from "./model.ts";

/** A node that may take over a throttled node's work. */
export interface ReliefNode {
  readonly id: number;
  /** Units that it can take. */
  readonly free: number;
  /** Energy of a unit in its class by governance's figures, joules; infinite where there is none. */
  readonly joules: number;
}

/**
 * Where a throttled node's leases should go: each to an eligible node of the most efficient class that has room for it, the
 * largest lease first, and to no class that is less efficient than the throttled node's own. A lease that no node has room for as a whole
 * gives as much as the most efficient one can take.
 *
 * Pure. O(n log n + leases × nodes).
 *
 * @param joules Of the throttled node's class.
 * @param leases Of the throttled node. What finds no node stays where it is.
 * @param nodes Eligible ones, without the throttled node.
 */
export function planRelief(joules: number, leases: readonly BalancingLease[], nodes: readonly ReliefNode[]): Move[] {
  const order = nodes
    .filter((node) => node.joules <= joules)
    .sort((a, b) => (a.joules === b.joules ? a.id - b.id : a.joules - b.joules))
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
