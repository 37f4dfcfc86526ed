import type { Problem } from "../model.ts";
import { RefusalError } from "../refusal.ts";

/** No scaled price, surcharge or number of units is above this: a price has 40 bits, and 10 more once it is scaled. */
const LARGEST = 2 ** 50;

/**
 * A problem as the network simplex walks through it: flat arrays. Vertices are the tasks (0 …), the classes
 * (`taskCount` …) and the root, the last one.
 */
export interface Instance {
  readonly taskCount: number;
  /** The root's index, and how many tasks and classes there are. */
  readonly root: number;
  /** Units of each task, and its maximum price. */
  readonly demand: Float64Array;
  readonly maxPrice: Float64Array;
  /** Arcs of task t, one per useful choice: `firstArc[t]` up to but not including `firstArc[t + 1]`. */
  readonly firstArc: Int32Array;
  /** Vertex of the arc's class, its surcharge, and which of the task's choices it is. */
  readonly arcClass: Int32Array;
  readonly arcCost: Float64Array;
  readonly arcChoice: Int32Array;
  /** Steps of the class at vertex v, by ascending price: `firstStep[v]` up to but not including `firstStep[v + 1]`. */
  readonly firstStep: Int32Array;
  readonly stepPrice: Float64Array;
  readonly stepUnits: Float64Array;
}

/**
 * Flattens a problem. Choices that cost more than the task pays, even with the class's cheapest unit, are left out: in an
 * optimum no unit flows through them. O(tasks × accepted classes + steps).
 *
 * @throws Refusal `SolverFailed` if a number is too large to be calculated with exactly, or is none.
 */
export function flatten({ tasks, classes }: Problem): Instance {
  const taskCount = tasks.length;
  const root = taskCount + classes.length;
  const arcs = tasks.reduce((sum, { choices }) => sum + choices.length, 0);
  const steps = classes.reduce((sum, each) => sum + each.steps.length, 0);
  const instance = {
    taskCount,
    root,
    demand: Float64Array.from(tasks, ({ units }) => exact(units)),
    maxPrice: Float64Array.from(tasks, ({ maxPrice }) => exact(maxPrice)),
    firstArc: new Int32Array(taskCount + 1),
    arcClass: new Int32Array(arcs),
    arcCost: new Float64Array(arcs),
    arcChoice: new Int32Array(arcs),
    firstStep: new Int32Array(root + 1),
    stepPrice: new Float64Array(steps),
    stepUnits: new Float64Array(steps),
  };
  let step = 0;
  classes.forEach((each, column) => {
    instance.firstStep[taskCount + column] = step;
    for (const { price, units } of each.steps) {
      instance.stepPrice[step] = exact(price);
      instance.stepUnits[step++] = exact(units);
    }
  });
  instance.firstStep[root] = step;
  let arc = 0;
  const cheapest = Float64Array.from(classes, (each) => each.steps[0]?.price ?? Infinity);
  tasks.forEach(({ choices, maxPrice }, t) => {
    instance.firstArc[t] = arc;
    for (let choice = 0; choice < choices.length; choice++) {
      const { column, surcharge } = choices[choice]!;
      if (exact(surcharge) + cheapest[column]! > maxPrice) continue;
      instance.arcClass[arc] = taskCount + column;
      instance.arcCost[arc] = surcharge;
      instance.arcChoice[arc++] = choice;
    }
  });
  instance.firstArc[taskCount] = arc;
  return instance;
}

function exact(number: number): number {
  if (Number.isInteger(number) && number >= 0 && number <= LARGEST) return number;
  throw new RefusalError("SolverFailed", `The network simplex cannot calculate exactly with ${number}.`);
}
