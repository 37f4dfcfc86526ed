import type { Primal, Problem } from "./model.ts";
import { flatten } from "./networkSimplex/instance.ts";
import { pivot, reducedCost } from "./networkSimplex/pivot.ts";
import { NONE, Tree } from "./networkSimplex/tree.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

/**
 * Solves rounds of any size exactly: a network simplex on the class form, whose vertices are tasks, classes and a root.
 * However many nodes there are, a class is one convex arc to the root, see {@link Tree}.
 *
 * All numbers are integers in doubles, and exact. Memory O(tasks × accepted classes + steps). Each pivot costs at most
 * O(tasks + classes + steps passed) plus a block of choices looked through; there are a few per task in practice.
 */
export const networkSimplex: Solver = { name: "network simplex", solve };

/** Arcs that are looked through before the best one found enters: at least so many, and at least this share of all. */
const BLOCK = 400;
const BLOCKS = 32;

function solve(problem: Problem): Primal {
  const tree = new Tree(flatten(problem));
  optimise(tree);
  return readFlows(problem, tree);
}

function optimise(tree: Tree): void {
  const { arcClass, arcCost, firstStep, root, taskCount } = tree.instance;
  // Each pivot saves something or is one of a finite sequence: this many are not reached unless there is a bug.
  let left = 10_000 + 100 * (arcCost.length + firstStep[root]! + root);
  let task = 0;
  for (;;) {
    while (settleSuspect(tree)) left -= 1;
    const entering = priceBlocks(tree, task);
    if (!entering) return;
    task = entering.next;
    pivot(tree, entering.task, arcClass[entering.arc]!, entering.arc);
    left -= 1;
    requireThat(left > 0, "SolverFailed", () => `The network simplex does not end with ${taskCount} tasks.`);
  }
}

/** Brings back the price that lies farthest outside of what its own arc to the root allows; false if none does. */
function settleSuspect(tree: Tree): boolean {
  const { suspects, root, parent, instance } = tree;
  let [least, tail, head] = [0, NONE, NONE];
  let kept = 0;
  for (const v of suspects) {
    if (parent[v] === root) continue;
    const raise = reducedCost(tree, v, root, NONE);
    const lower = v < instance.taskCount ? 0 : reducedCost(tree, root, v, NONE);
    if (raise >= 0 && lower >= 0) continue;
    suspects[kept++] = v;
    if (raise < least) [least, tail, head] = [raise, v, root];
    if (lower < least) [least, tail, head] = [lower, root, v];
  }
  suspects.length = kept;
  if (kept === 0) return false;
  pivot(tree, tail, head, NONE);
  return true;
}

/** The best arc of the first block, from a task on, in which there is one that saves something. */
function priceBlocks(tree: Tree, start: number): { arc: number; task: number; next: number } | undefined {
  const { taskCount, firstArc, arcClass, arcCost } = tree.instance;
  const { price } = tree;
  let least = 0;
  let best = NONE;
  let bestTask = NONE;
  const size = Math.max(BLOCK, arcCost.length / BLOCKS);
  let block = size;
  let task = start;
  for (let tasks = 0; tasks < taskCount; tasks++) {
    const end = firstArc[task + 1]!;
    const own = price[task]!;
    for (let arc = firstArc[task]!; arc < end; arc++) {
      const reduced = arcCost[arc]! + price[arcClass[arc]!]! - own;
      if (reduced < least) {
        least = reduced;
        best = arc;
        bestTask = task;
      }
    }
    block -= end - firstArc[task]!;
    task = task + 1 === taskCount ? 0 : task + 1;
    if (block <= 0) {
      if (best !== NONE) break;
      block = size;
    }
  }
  return best === NONE ? undefined : { arc: best, task: bestTask, next: task };
}

/** What flows along the tree, by task and choice. */
function readFlows({ tasks }: Problem, { instance, root, parent, arc, flow }: Tree): Primal {
  const { taskCount, arcChoice } = instance;
  const flows = tasks.map(({ choices }) => choices.map(() => 0));
  const open = tasks.map(() => 0);
  for (let v = 0; v < root; v++) {
    const above = parent[v]!;
    if (above === root && v < taskCount) open[v] = flow[v]!;
    else if (above !== root && above !== NONE) flows[v < taskCount ? v : above]![arcChoice[arc[v]!]!] = flow[v]!;
  }
  return { flows, open };
}
