import type { Primal, Problem } from "../model.ts";
import { NONE, type Tree } from "./tree.ts";

/** What flows along the tree, by task and choice. O(tasks × accepted classes). */
export function readFlows({ tasks }: Problem, { instance, root, parent, arc, flow }: Tree): Primal {
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
