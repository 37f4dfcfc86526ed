import type { BalancingWorth } from "./worth.ts";

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
