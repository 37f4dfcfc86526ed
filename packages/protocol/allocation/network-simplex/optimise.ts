import { requireThat } from "../refusal.ts";
import { pivot, reducedCost } from "./pivot.ts";
import { NONE, type Tree } from "./tree.ts";

/** Arcs that are looked through before the best one found enters: at least so many, and at least this share of all. */
const BLOCK = 400;
const BLOCKS = 32;

/**
 * Lets arcs enter a strongly feasible tree until none saves anything.
 *
 * @returns How many entered.
 * @throws Refusal `SolverFailed` if prices leave the range in which they are exact.
 */
export function optimise(tree: Tree): number {
  const { arcClass, arcCost, firstStep, root, taskCount } = tree.instance;
  // Each pivot saves something or is one of a finite sequence: this many are not reached unless there is a bug.
  const most = 10_000 + 100 * (arcCost.length + firstStep[root]! + root);
  let left = most;
  let task = 0;
  for (;;) {
    while (settleSuspect(tree)) left -= 1;
    const entering = priceBlocks(tree, task);
    if (!entering) return most - left;
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
