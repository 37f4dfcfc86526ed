import { DITHER, TICKS } from "../money/units.ts";
import { dither } from "../vrf/draws.ts";
import { columnsOf, type ListedNode, type NodeColumns } from "./node-columns.ts";

export type { ListedNode };

/** A class of the round and its supply. */
export interface RoundClass {
  readonly id: number;
  /** Such as `gpu-80g/eu`; only for messages. */
  readonly name?: string;
  /** Price of a tick, micro-VER. */
  readonly tickSize: number;
  /** In any order. */
  readonly nodes: readonly ListedNode[];
}

/** A class that a task accepts. */
export interface AcceptedClass {
  readonly classId: number;
  /** Steers the task's units and is never paid, micro-VER. */
  readonly surcharge: number;
}

/** A task of the round. */
export interface RoundTask {
  readonly id: number;
  /** Units that it brought into the round: D. */
  readonly units: number;
  /** Maximum price of a unit, micro-VER: M. */
  readonly maxPrice: number;
  /** Ascending. */
  readonly classes: readonly AcceptedClass[];
}

/** All that a round's allocation is computed from. The same at every block while the round is open. */
export interface Round {
  readonly roundId: number;
  /** 32 bytes, hexadecimal. */
  readonly seed: string;
  /** In the round's order, in which units are laid out. */
  readonly tasks: readonly RoundTask[];
  /** Exactly the classes that some task accepts, ascending. */
  readonly classes: readonly RoundClass[];
}

/** Units of a class at one price. */
export interface Step {
  /** Micro-VER × 1024. */
  readonly price: number;
  readonly units: number;
}

/** A class of the scaled problem. Classes are referred to by their index in {@link Problem.classes}. */
export interface ProblemClass {
  readonly id: number;
  /** What messages call it. */
  readonly label: string;
  /** Price of a tick, micro-VER × 1024. */
  readonly tickPrice: number;
  /** Supply by strictly ascending price. */
  readonly steps: readonly Step[];
}

/** A class that a task accepts, in the scaled problem. */
export interface Choice {
  /** Index of the class. */
  readonly column: number;
  /** Micro-VER × 1024 + dither. */
  readonly surcharge: number;
}

/** A task of the scaled problem. */
export interface ProblemTask {
  readonly id: number;
  readonly units: number;
  /** Micro-VER × 1024. */
  readonly maxPrice: number;
  readonly choices: readonly Choice[];
}

/**
 * The allocation problem in class form: nodes of a class matter only as its supply by price, so that the unknowns are
 * the units of each task in each class. All numbers are integers below 2^51, exact in a double.
 */
export interface Problem {
  readonly tasks: readonly ProblemTask[];
  readonly classes: readonly ProblemClass[];
}

/** A solution of a {@link Problem}. Within a class the cheapest units are used first. */
export interface Primal {
  /** Units of each task in each of its choices. */
  readonly flows: readonly (readonly number[])[];
  /** Units of each task that stay open. */
  readonly open: readonly number[];
}

/**
 * A task's maximum price as it enters the problem, with the highest dither on top: a class that costs exactly the maximum
 * price still serves the task, one that costs a micro-VER more does not. `Layout.sol` scales it the same way.
 */
function scaledMaxPrice(maxPrice: number): number {
  return maxPrice * DITHER + DITHER - 1;
}

/** What messages call a class. */
export function classLabel({ id, name }: { readonly id: number; readonly name?: string }): string {
  return `class ${name ?? id}`;
}

/**
 * The scaled problem of a round that has been validated. O(n + tasks × accepted classes) with n listed nodes.
 */
export function buildProblem(round: Round): Problem {
  const laneOf = new Map(round.classes.map(({ id }, column) => [id, column]));
  const tasks = round.tasks.map(({ id, units, maxPrice, classes }) => ({
    id,
    units,
    maxPrice: scaledMaxPrice(maxPrice),
    choices: classes.map(({ classId, surcharge }) => ({
      column: laneOf.get(classId) ?? -1,
      surcharge: surcharge * DITHER + dither(round.seed, id, classId),
    })),
  }));
  const classes = round.classes.map((each) => {
    const tickPrice = each.tickSize * DITHER;
    return { id: each.id, label: classLabel(each), tickPrice, steps: supplySteps(nodeColumns(each), tickPrice) };
  });
  return { tasks, classes };
}

/** The nodes of a class as columns, made once for each list. O(nodes). @throws Refusal `InvalidRound`, see {@link columnsOf}. */
export function nodeColumns(listed: RoundClass): NodeColumns {
  return columnsOf(listed.nodes, () => classLabel(listed));
}

/** Supply of a class by ascending price. O(nodes + {@link TICKS}). */
export function supplySteps({ ticks, units: each }: Pick<NodeColumns, "ticks" | "units">, tickPrice: number): Step[] {
  const unitsAt = new Float64Array(TICKS);
  for (let i = 0; i < ticks.length; i++) {
    const tick = ticks[i] ?? 0;
    unitsAt[tick] = (unitsAt[tick] ?? 0) + (each[i] ?? 0);
  }
  const steps: Step[] = [];
  for (const [tick, units] of unitsAt.entries()) if (units > 0) steps.push({ price: tick * tickPrice, units });
  return steps;
}

/** Units that flow through each class. O(tasks × accepted classes). */
export function unitsByClass(problem: Problem, flows: Primal["flows"]): number[] {
  const units = problem.classes.map(() => 0);
  problem.tasks.forEach(({ choices }, t) => {
    flows[t]?.forEach((amount, c) => {
      const column = choices[c]?.column;
      if (amount !== 0 && column !== undefined) units[column] = (units[column] ?? 0) + amount;
    });
  });
  return units;
}

/** Units of a class below a price and at it. O(steps). */
export function unitsBelowAndAt(steps: readonly Step[], price: bigint): { below: number; at: number } {
  // Prices of steps are exact doubles, far below this bound; whatever is above it is above all of them.
  const limit = price > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(price);
  let below = 0;
  for (const step of steps) {
    if (step.price >= limit) return { below, at: step.price === limit ? step.units : 0 };
    below += step.units;
  }
  return { below, at: 0 };
}

/**
 * Cost of a solution in micro-VER × 1024, surcharges, dither and open units included: what is minimised. Exact.
 * O(tasks × accepted classes + steps).
 */
export function objective(problem: Problem, primal: Primal): bigint {
  let cost = 0n;
  problem.tasks.forEach(({ choices, maxPrice }, t) => {
    cost += BigInt(maxPrice) * BigInt(primal.open[t] ?? 0);
    primal.flows[t]?.forEach((units, c) => {
      if (units !== 0) cost += BigInt(choices[c]?.surcharge ?? 0) * BigInt(units);
    });
  });
  unitsByClass(problem, primal.flows).forEach((units, column) => {
    let left = units;
    for (const step of problem.classes[column]?.steps ?? []) {
      if (left === 0) break;
      const used = Math.min(step.units, left);
      cost += BigInt(step.price) * BigInt(used);
      left -= used;
    }
  });
  return cost;
}
