/** What a round is made of, as far as its gas depends on it. */
export interface Shape {
  readonly tasks: number;
  /** Classes that each task accepts. */
  readonly accepts: number;
  /** Classes of all tasks together. */
  readonly classes: number;
  /** Leases granted, each of one unit, at a node of its own. */
  readonly leases: number;
  /** Whether the round takes all that its classes list, or the seed chooses who of those that ask the same is left out. */
  readonly supply: "all" | "part";
}

/** What rounds may have at most: two as governed, two as the contracts are written. */
export interface ShapeLimits {
  readonly tasks: number;
  readonly units: number;
  readonly taskClasses: number;
  readonly roundClasses: number;
}

/** What the contracts reckon with when they fill a round, gas: `contracts/core/tasks/RoundBudget.sol`. */
export const ROUND_BUDGET = {
  SETTLING: 15_900_000,
  ROUND: 200_000,
  TASK: 87_000,
  FLOW: 5_000,
  CLASS: 60_000,
  LEASE: 51_000,
} as const;

/** Gas that the contracts reckon with for the settlement of a round, without its leases. */
function reckoned({ tasks, accepts, classes }: Pick<Shape, "tasks" | "accepts" | "classes">): number {
  const { ROUND, TASK, FLOW, CLASS } = ROUND_BUDGET;
  return ROUND + tasks * (TASK + FLOW * accepts) + CLASS * classes;
}

/** Maximum number of leases of a round of so many tasks and classes. */
function leasesThatFit(shape: Pick<Shape, "tasks" | "accepts" | "classes">, { units }: ShapeLimits): number {
  return Math.min(units, Math.floor((ROUND_BUDGET.SETTLING - reckoned(shape)) / ROUND_BUDGET.LEASE));
}

/** Maximum number of tasks of one unit in a round. */
function tasksThatFit(accepts: number, classes: number, limits: ShapeLimits): number {
  let tasks = limits.tasks;
  while (leasesThatFit({ tasks, accepts, classes }, limits) < tasks) tasks -= 1;
  return tasks;
}

/** Whether the contracts let a round be like that. */
export function isLegal(shape: Shape, limits: ShapeLimits): boolean {
  const { tasks, accepts, classes, leases } = shape;
  return (
    tasks >= 1 &&
    tasks <= limits.tasks &&
    accepts >= 1 &&
    accepts <= Math.min(classes, limits.taskClasses) &&
    classes <= limits.roundClasses &&
    // Each class is accepted by some task, and each task and each class has a unit.
    tasks * accepts >= classes &&
    leases >= Math.max(tasks, classes) &&
    leases <= leasesThatFit(shape, limits)
  );
}

/** Classes that a task accepts: neighbours overlap, and all together they are the round's. */
export function classesOf(shape: Shape, task: number): number[] {
  const step = shape.tasks === 1 ? 0 : (shape.classes - shape.accepts) / (shape.tasks - 1);
  const first = Math.round(task * step);
  return Array.from({ length: shape.accepts }, (_, i) => first + i);
}

/** The values that a search tries for each part of a shape. */
function gridOf(limits: ShapeLimits) {
  const { tasks, units, taskClasses, roundClasses } = limits;
  const upTo = (most: number, ...values: number[]) => [...new Set([...values.filter((value) => value < most), most])];
  return {
    tasks: upTo(tasks, 1, 16, 42, 82),
    accepts: upTo(taskClasses, 1, 4),
    classes: upTo(roundClasses, 1, 16),
    leases: upTo(units, 16, roundClasses, 82, 144, 180),
    supply: ["all", "part"] as const,
  };
}

/** The shapes of the table: the plainest round of each size, and full rounds of few and of many tasks and classes. */
export function tableShapes(limits: ShapeLimits): Shape[] {
  const { tasks, taskClasses, roundClasses } = limits;
  const full = (shape: Omit<Shape, "leases" | "supply">, supply: Shape["supply"] = "part"): Shape => ({
    ...{ ...shape, supply },
    leases: leasesThatFit(shape, limits),
  });
  const ofOneUnit = (accepts: number, classes: number): Shape => {
    const count = tasksThatFit(accepts, classes, limits);
    return { ...{ tasks: count, accepts, classes }, leases: count, supply: "part" };
  };
  const few = Math.min(16, tasks);
  return [
    { ...{ tasks: 1, accepts: 1, classes: 1 }, leases: 1, supply: "all" as const },
    full({ tasks: 1, accepts: 1, classes: 1 }, "all"),
    full({ tasks: 1, accepts: taskClasses, classes: taskClasses }),
    ofOneUnit(1, 1),
    ofOneUnit(1, 16),
    ofOneUnit(1, roundClasses),
    full({ tasks: few, accepts: 1, classes: 1 }),
    full({ tasks: few, accepts: taskClasses, classes: roundClasses }, "all"),
    full({ tasks: few, accepts: taskClasses, classes: roundClasses }),
  ].filter((shape) => isLegal(shape, limits));
}

/** The dearest shape that a search came to, and how many it looked at. */
export interface Dearest {
  readonly shape: Shape;
  readonly tried: number;
}

/**
 * Searches for the legal shape that costs the most: from each start, one part is changed to whatever makes it dearest,
 * until no change of one part does, or enough shapes were tried. Shapes are measured once.
 *
 * @param most - Maximum number of shapes that are measured.
 * @param cost - Of a shape; Infinity where its round does not fit a transaction.
 */
export async function dearest(
  starts: readonly Shape[],
  limits: ShapeLimits,
  most: number,
  cost: (shape: Shape) => Promise<number>,
): Promise<Dearest> {
  const known = new Map<string, number>();
  const costOf = async (shape: Shape): Promise<number> => {
    const key = JSON.stringify(shape);
    const value = known.get(key) ?? (await cost(shape));
    known.set(key, value);
    return value;
  };
  const grid = gridOf(limits);
  let best: { shape: Shape; cost: number } | undefined;
  for (const start of starts) {
    let [shape, at] = [start, await costOf(start)];
    for (let improved = true; improved && known.size < most;) {
      improved = false;
      const around = (Object.keys(grid) as (keyof typeof grid)[]).flatMap((part) =>
        grid[part].map((value) => ({ ...shape, [part]: value })),
      );
      for (const next of around.filter((each) => isLegal(each, limits))) {
        if (known.size >= most && !known.has(JSON.stringify(next))) continue;
        const value = await costOf(next);
        if (value > at) [shape, at, improved] = [next, value, true];
      }
    }
    if (!best || at > best.cost) best = { shape, cost: at };
  }
  if (!best) throw new Error("A search needs a shape to start from.");
  return { shape: best.shape, tried: known.size };
}
