import { parseUnits } from "ethers";

import type { ParticipantNode, ParticipantTask } from "@verai/devnet/participants";

/** What the joint optimum costs. Wei. */
export interface Optimum {
  /** What nodes are paid. */
  readonly paid: bigint;
  /** With surcharges and open units: what the linear program minimises. */
  readonly objective: bigint;
  readonly served: number;
}

/**
 * The cheapest way to serve the tasks, by successive shortest paths over single units: slow, obvious, and independent of
 * the keeper's solvers and of the contracts. Ties are left as they come: they do not change the cost.
 *
 * O(units × (tasks × classes + nodes) × vertices).
 */
export function jointOptimum(nodes: readonly ParticipantNode[], tasks: readonly ParticipantTask[]): Optimum {
  const flows = tasks.map((task) => new Map(Object.keys(task.classes).map((name) => [name, 0])));
  const used = new Map(nodes.map((node) => [node.name, 0]));
  let paid = 0n;
  let served = 0;
  let objective = 0n;
  tasks.forEach((task, t) => {
    for (let unit = 0; unit < task.units; unit++) {
      const path = cheapestPath(nodes, tasks, flows, used, t);
      for (const [step, name, change] of path.steps) {
        const flow = flows[step];
        flow?.set(name, (flow.get(name) ?? 0) + change);
      }
      objective += path.cost;
      if (!path.node) continue;
      used.set(path.node.name, (used.get(path.node.name) ?? 0) + 1);
      paid += parseUnits(path.node.ask, 18);
      served += 1;
    }
  });
  return { paid, objective, served };
}

interface Path {
  readonly cost: bigint;
  /** The node that gets one more unit; undefined if instead a unit, this one or one that gave way, stays open. */
  readonly node?: ParticipantNode;
  /** Changes of flow along it: task, class, +1 or -1. */
  readonly steps: readonly (readonly [task: number, name: string, change: 1 | -1])[];
}

/** The cheapest way to serve one more unit of a task, other tasks' units giving way where that helps (Bellman-Ford). */
function cheapestPath(
  nodes: readonly ParticipantNode[],
  tasks: readonly ParticipantTask[],
  flows: readonly Map<string, number>[],
  used: ReadonlyMap<string, number>,
  from: number,
): Path {
  const atTask = new Map<number, { cost: bigint; steps: Path["steps"] }>([[from, { cost: 0n, steps: [] }]]);
  const atClass = new Map<string, { cost: bigint; steps: Path["steps"] }>();
  for (let changed = true; changed;) {
    changed = false;
    for (const [t, here] of atTask) {
      for (const [name, surcharge] of Object.entries(tasks[t]?.classes ?? {})) {
        const cost = here.cost + parseUnits(surcharge, 18);
        const known = atClass.get(name);
        if (known && known.cost <= cost) continue;
        atClass.set(name, { cost, steps: [...here.steps, [t, name, 1]] });
        changed = true;
      }
    }
    for (const [name, here] of atClass) {
      flows.forEach((flow, t) => {
        if ((flow.get(name) ?? 0) === 0) return;
        const cost = here.cost - parseUnits(tasks[t]?.classes[name] ?? "0", 18);
        const known = atTask.get(t);
        if (known && known.cost <= cost) return;
        atTask.set(t, { cost, steps: [...here.steps, [t, name, -1]] });
        changed = true;
      });
    }
  }
  let best: Path = { cost: parseUnits(tasks[from]?.maxPrice ?? "0", 18), steps: [] };
  for (const [t, here] of atTask) {
    const cost = here.cost + parseUnits(tasks[t]?.maxPrice ?? "0", 18);
    if (cost < best.cost) best = { cost, steps: here.steps };
  }
  for (const node of nodes) {
    const here = atClass.get(node.class);
    if (!here || (used.get(node.name) ?? 0) >= node.capacity) continue;
    const cost = here.cost + parseUnits(node.ask, 18);
    if (cost < best.cost) best = { cost, node, steps: here.steps };
  }
  return best;
}
