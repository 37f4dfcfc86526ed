import { readFlows } from "./network-simplex/flows.ts";
import { flatten } from "./network-simplex/instance.ts";
import { optimise } from "./network-simplex/optimise.ts";
import { Tree } from "./network-simplex/tree.ts";
import type { Solver } from "./solver.ts";

/**
 * Solves rounds of any size exactly: a network simplex on the class form, whose vertices are tasks, classes and a root.
 * However many nodes there are, a class is one convex arc to the root, see {@link Tree}. It starts with every unit open;
 * {@link WarmNetworkSimplex} starts where the last solve ended.
 *
 * All numbers are integers in doubles, and exact. Memory O(tasks × accepted classes + steps). Each pivot costs at most
 * O(tasks + classes + steps passed) plus a block of choices looked through; there are a few per task in practice.
 */
export const networkSimplex: Solver = {
  name: "network simplex",
  solve(problem) {
    const tree = Tree.allOpen(flatten(problem));
    optimise(tree);
    return readFlows(problem, tree);
  },
};
