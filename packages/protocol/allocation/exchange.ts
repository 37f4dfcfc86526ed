import { DITHER } from "../money/units.ts";
import { formatPrice } from "../money/ver.ts";
import type { Primal, Problem } from "./model.ts";

/** One task's part in an exchange. Places are indices of its choices; undefined: the unit is, or stays, open. */
export interface Move {
  /** Index of the task. */
  readonly task: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** A change that makes a solution cheaper: each of its moves is made by this many units at once. */
export interface Exchange {
  readonly units: number;
  readonly moves: readonly Move[];
  /** What it saves in all: micro-VER × 1024, dither included. Above 0. */
  readonly saving: bigint;
  /** The same in micro-VER and without dither: below or at 0 where only the seed prefers it. */
  readonly money: bigint;
  /** Index of the class that uses more of its supply after it, and of the one that uses less, if any. */
  readonly draws: number | undefined;
  readonly returns: number | undefined;
  /** Such as "1 unit of task 7 moves from class cpu/us to class gpu-80g/eu: saves 0.002 VER". */
  readonly words: string;
}

/** A cycle of negative cost, as {@link findPrices} meets it. */
export interface Cycle {
  readonly moves: readonly Move[];
  /** Index of the class that uses one more unit of supply for it, and of the one that uses one less, if any. */
  readonly draws: number | undefined;
  readonly returns: number | undefined;
}

/**
 * The exchange along a cycle, with as many units as it takes. O(moves + steps).
 *
 * @param primal - A feasible solution.
 */
export function exchangeAlong(problem: Problem, primal: Primal, supply: readonly Supply[], cycle: Cycle): Exchange {
  const { moves } = cycle;
  const draw = cycle.draws === undefined ? undefined : supply[cycle.draws]?.unused;
  const giveBack = cycle.returns === undefined ? undefined : supply[cycle.returns]?.used;
  const units = Math.min(
    draw?.units ?? Infinity,
    giveBack?.units ?? Infinity,
    ...moves.map(({ task, from }) => (from === undefined ? primal.open[task] : primal.flows[task]?.[from]) ?? 0),
  );
  /** Saving of one unit, with the prices as they are or as they would be without dither. */
  const savingOf = (value: (scaled: number) => bigint): bigint => {
    let saving = value(giveBack?.price ?? 0) - value(draw?.price ?? 0);
    for (const { task, from, to } of moves)
      saving += value(costAt(problem, task, from)) - value(costAt(problem, task, to));
    return saving;
  };
  const saving = savingOf(BigInt) * BigInt(units);
  const money = savingOf((price) => BigInt(Math.floor(price / DITHER))) * BigInt(units);
  return {
    units,
    moves,
    saving,
    money,
    draws: cycle.draws,
    returns: cycle.returns,
    words: `${moves.map((move) => describe(problem, units, move)).join(", ")}: ${effect(money)}`,
  };
}

/** The solution after an exchange. O(tasks × accepted classes). */
export function applyExchange(primal: Primal, { units, moves }: Exchange): Primal {
  const flows = primal.flows.map((row) => [...row]);
  const open = [...primal.open];
  const add = (task: number, place: number | undefined, amount: number): void => {
    const row = place === undefined ? open : flows[task];
    const index = place ?? task;
    if (row) row[index] = (row[index] ?? 0) + amount;
  };
  for (const { task, from, to } of moves) {
    add(task, from, -units);
    add(task, to, units);
  }
  return { flows, open };
}

/** Where a class's supply stands when units are taken from it, cheapest first. */
export interface Supply {
  /** Dearest step of which units are used, and how many are; undefined if none is. */
  readonly used: { readonly price: number; readonly units: number } | undefined;
  /** Cheapest step of which units are unused, and how many are; undefined if none is. */
  readonly unused: { readonly price: number; readonly units: number } | undefined;
}

/** Where each class's supply stands at these flows. O(steps). */
export function supplyAt(problem: Problem, units: readonly number[]): Supply[] {
  return problem.classes.map(({ steps }, k) => {
    let left = units[k] ?? 0;
    let used: Supply["used"];
    for (const step of steps) {
      const taken = Math.min(step.units, left);
      left -= taken;
      if (taken > 0) used = { price: step.price, units: taken };
      if (taken < step.units) return { used, unused: { price: step.price, units: step.units - taken } };
    }
    return { used, unused: undefined };
  });
}

function costAt(problem: Problem, task: number, place: number | undefined): number {
  const it = problem.tasks[task];
  return (place === undefined ? it?.maxPrice : it?.choices[place]?.surcharge) ?? 0;
}

function describe(problem: Problem, units: number, { task, from, to }: Move): string {
  const label = (place: number): string =>
    problem.classes[problem.tasks[task]?.choices[place]?.column ?? -1]?.label ?? "";
  const one = units === 1;
  const who = `${units} ${from === undefined ? "open " : ""}unit${one ? "" : "s"} of task ${problem.tasks[task]?.id ?? 0}`;
  if (from === undefined) return `${who} ${one ? "goes" : "go"} to ${to === undefined ? "none" : label(to)}`;
  if (to === undefined) return `${who} ${one ? "leaves" : "leave"} ${label(from)} and ${one ? "stays" : "stay"} open`;
  return `${who} ${one ? "moves" : "move"} from ${label(from)} to ${label(to)}`;
}

/** What an exchange saves, in words. */
export function effect(micro: bigint): string {
  if (micro > 0n) return `saves ${formatPrice(micro)} VER`;
  if (micro === 0n) return "costs the same, and is what the seed prefers";
  return `costs ${formatPrice(-micro)} VER more, but is what the seed prefers`;
}
