import type { Primal, Problem } from "../model.ts";
import { RefusalError } from "../refusal.ts";
import type { Solver } from "../solver.ts";
import { type Basis, basisOf, carryOver } from "./basis.ts";
import { readFlows } from "./flows.ts";
import { flatten, type Instance } from "./instance.ts";
import { optimise } from "./optimise.ts";
import { regrow } from "./regrow.ts";
import { Tree } from "./tree.ts";

/** How the last solve went. */
export interface Effort {
  /** Where it started: from nothing, from the last basis, or from nothing after the last basis had led nowhere. */
  readonly start: "cold" | "warm" | "cold after warm";
  /** Arcs that entered the tree. */
  readonly pivots: number;
}

/**
 * The network simplex with a memory: it starts where its last solve ended. Tasks and classes are known again by their
 * ids, and anything may change in between: tasks that come and go or want more or less, nodes, prices, surcharges, the
 * seed. What still fits of the last tree is kept, the rest repaired or left open, and the search goes on from there.
 *
 * The start never decides what is optimal, only how soon it is found; where several solutions are, it may decide which of
 * them. A start that leads nowhere is given up for a cold one, and what is found needs a certificate like any other.
 *
 * Memory between solves O(tasks + classes). A restarted process starts cold.
 */
export class WarmNetworkSimplex implements Solver {
  #basis: Basis | undefined;
  #last: Effort | undefined;

  /** With how the last solve started. */
  get name(): string {
    return this.#last ? `network simplex, ${this.#last.start}` : "network simplex";
  }

  /** How the last solve went; undefined before the first. */
  get last(): Effort | undefined {
    return this.#last;
  }

  solve(problem: Problem): Primal {
    const instance = flatten(problem);
    const known = this.#basis;
    // Whatever happens, a basis that leads nowhere is not tried twice.
    this.#basis = undefined;
    const warm = known && fromBasis(known, problem, instance);
    const tree = warm?.tree ?? Tree.allOpen(instance);
    const pivots = warm?.pivots ?? optimise(tree);
    this.#last = { start: warm ? "warm" : known ? "cold after warm" : "cold", pivots };
    this.#basis = basisOf(problem, tree);
    return readFlows(problem, tree);
  }

  /** Forgets the last basis. */
  forget(): void {
    this.#basis = undefined;
  }
}

/** The optimum found from a basis; undefined if that leads nowhere. */
function fromBasis(basis: Basis, problem: Problem, instance: Instance): { tree: Tree; pivots: number } | undefined {
  try {
    const forest = carryOver(basis, problem, instance);
    if (!forest) return undefined;
    const tree = regrow(instance, forest);
    return { tree, pivots: optimise(tree) };
  } catch (error) {
    // Prices that stay exact from a cold start may not from a tree that was made for other prices.
    if (error instanceof RefusalError) return undefined;
    throw error;
  }
}
