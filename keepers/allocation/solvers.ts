import { greedySolver } from "@verai/protocol/allocation/greedy-solver";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { WarmNetworkSimplex } from "@verai/protocol/allocation/network-simplex/warm";
import { pathSolver } from "@verai/protocol/allocation/path-solver";
import type { Solver } from "@verai/protocol/allocation/solver";

/**
 * The solvers of a keeper, in the order in which they are asked: cheapest first for one task, javascript-lp-solver for
 * small rounds, the network simplex for all others, from where it ended last or, should that ever be refused, from nothing.
 * Each call makes a memory of its own.
 */
export function keeperSolvers(): readonly [Solver, ...Solver[]] {
  return [greedySolver, lpSolver, new WarmNetworkSimplex(), networkSimplex, pathSolver];
}
