import { greedySolver } from "../../protocol/allocation/greedySolver.ts";
import { lpSolver } from "../../protocol/allocation/lpSolver.ts";
import { networkSimplex } from "../../protocol/allocation/networkSimplex.ts";
import { WarmNetworkSimplex } from "../../protocol/allocation/networkSimplex/warm.ts";
import { pathSolver } from "../../protocol/allocation/pathSolver.ts";
import type { Solver } from "../../protocol/allocation/solver.ts";

/**
 * The solvers of a keeper, in the order in which they are asked: cheapest first for one task, javascript-lp-solver for
 * small rounds, the network simplex for all others, from where it ended last or, should that ever be refused, from nothing.
 * Each call makes a memory of its own.
 */
export function keeperSolvers(): readonly [Solver, ...Solver[]] {
  return [greedySolver, lpSolver, new WarmNetworkSimplex(), networkSimplex, pathSolver];
}
