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
    leases <= limits.units
  );
}

/** Classes that a task accepts: neighbours overlap, and all together they are the round's. */
export function classesOf(shape: Shape, task: number): number[] {
  const step = shape.tasks === 1 ? 0 : (shape.classes - shape.accepts) / (shape.tasks - 1);
  const first = Math.round(task * step);
  return Array.from({ length: shape.accepts }, (_, i) => first + i);
}

/** The values that a search tries for each part of a shape. */
function gridOf({ tasks, units, taskClasses, roundClasses }: ShapeLimits) {
  const upTo = (most: number, ...values: number[]) => [...new Set([...values.filter((value) => value < most), most])];
  return {
    tasks: upTo(tasks, 1, 4, 8),
    accepts: upTo(taskClasses, 1, 4),
    classes: upTo(roundClasses, 1, 4, 16),
    leases: upTo(units, tasks, roundClasses),
    supply: ["all", "part"] as const,
  };
}

/** The shapes of the table: one part of the dearest corner changed at a time, and the plainest round of each size. */
export function tableShapes(limits: ShapeLimits): Shape[] {
  const { tasks, units, taskClasses, roundClasses } = limits;
  const most: Shape = { tasks, accepts: taskClasses, classes: roundClasses, leases: units, supply: "all" };
  const plain: Shape = { tasks: 1, accepts: 1, classes: 1, leases: units, supply: "all" };
  return [
    { ...plain, leases: 1 },
    plain,
    { ...plain, tasks },
    { ...plain, accepts: taskClasses, classes: taskClasses },
    { ...most, classes: taskClasses, leases: tasks },
    { ...most, classes: taskClasses },
    { ...most, leases: roundClasses },
    { ...most, accepts: roundClasses / tasks },
    { ...most, supply: "part" as const },
    most,
  ].filter((shape) => isLegal(shape, limits));
}

/** The dearest shape that a search came to, and how many it looked at. */
export interface Dearest {
  readonly shape: Shape;
  readonly tried: number;
}

/**
 * Searches for the legal shape that costs the most: from each start, one part is changed to whatever makes it dearest,
 * until no change of one part does. Shapes are measured once.
 *
 * @param cost - Of a shape; Infinity where its round does not fit a transaction.
 */
export async function dearest(
  starts: readonly Shape[],
  limits: ShapeLimits,
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
    for (let improved = true; improved;) {
      improved = false;
      const around = (Object.keys(grid) as (keyof typeof grid)[]).flatMap((part) =>
        grid[part].map((value) => ({ ...shape, [part]: value })),
      );
      for (const next of around.filter((each) => isLegal(each, limits))) {
        const value = await costOf(next);
        if (value > at) [shape, at, improved] = [next, value, true];
      }
    }
    if (!best || at > best.cost) best = { shape, cost: at };
  }
  if (!best) throw new Error("A search needs a shape to start from.");
  return { shape: best.shape, tried: known.size };
}
