import type { BalancingAim, BalancingNode } from "./model.ts";

/** Nodes above the band, which give work, and those below it, which take some. */
export interface Sides {
  /** By descending load. */
  readonly givers: readonly BalancingNode[];
  /** By ascending load. */
  readonly takers: readonly BalancingNode[];
}

/** Nodes outside band and hysteresis whose loads can be trusted. O(n log n). */
export function sidesOf(nodes: readonly BalancingNode[], { average, threshold, hysteresis }: BalancingAim): Sides {
  const edge = threshold + hysteresis;
  const settled = nodes.filter((node) => node.settled);
  return {
    givers: settled.filter(({ load }) => load - average > edge).sort((a, b) => b.load - a.load || a.id - b.id),
    takers: settled
      .filter(({ load, eligible, free }) => eligible && free > 0 && average - load > edge)
      .sort((a, b) => a.load - b.load || a.id - b.id),
  };
}

/** Units that a node at this distance may give or take: to the average and one unit's worth beyond, but no farther than τ. */
export function unitsWithin(distance: number, unitLoad: number, threshold: number): number {
  return Math.max(0, Math.floor((distance + Math.min(unitLoad, threshold)) / unitLoad));
}
