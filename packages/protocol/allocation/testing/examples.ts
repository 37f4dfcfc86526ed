import assert from "node:assert/strict";

import type { Primal, Problem, Round, RoundTask } from "../model.ts";
import { pathSolver } from "../path-solver.ts";
import { planRound, type RoundPlan } from "../round-plan.ts";

/** A round with plain numbers; prices in micro-VER, ticks of 1000. */
export interface PlainRound {
  readonly seed?: string;
  /** Units, maximum price, and surcharge by class id. */
  readonly tasks: readonly (readonly [units: number, maxPrice: number, classes: Readonly<Record<number, number>>])[];
  /** By class id: tick and units of each node. Node ids are 10 × class + 1 …; positions follow the order given. */
  readonly supply: Readonly<Record<number, readonly (readonly [tick: number, units: number])[]>>;
}

/** Price of a tick in {@link plainRound}, micro-VER. */
export const TICK_SIZE = 1000;

/** Builds a round whose task ids are 1, 2 …. */
export function plainRound({ seed = `0x${"5e".repeat(32)}`, tasks, supply }: PlainRound): Round {
  return {
    roundId: 9,
    seed,
    tasks: tasks.map(([units, maxPrice, classes], t): RoundTask => ({
      id: t + 1,
      units,
      maxPrice,
      classes: Object.entries(classes).map(([classId, surcharge]) => ({ classId: Number(classId), surcharge })),
    })),
    classes: Object.entries(supply).map(([id, offers]) => ({
      id: Number(id),
      name: `kind-${id}/eu`,
      tickSize: TICK_SIZE,
      nodes: offers.map(([tick, units], i) => ({
        id: 10 * Number(id) + i + 1,
        tick,
        units,
        position: offers.slice(0, i).filter(([other]) => other === tick).length,
      })),
    })),
  };
}

/** The plan of a round that has one. */
export function planned(round: Round): RoundPlan {
  const plan = planRound(round, pathSolver);
  assert.ok(plan.kind === "plan", plan.kind === "refusal" ? plan.why : "");
  return plan;
}

/** Nothing leased. */
export function allOpen(problem: Problem): Primal {
  return {
    flows: problem.tasks.map(({ choices }) => choices.map(() => 0)),
    open: problem.tasks.map(({ units }) => units),
  };
}

/** Moves units of a task from one place to another; places are indices of its choices, undefined: open. */
export function moveUnits(
  primal: Primal,
  task: number,
  from: number | undefined,
  to: number | undefined,
  units = 1,
): Primal {
  const flows = primal.flows.map((row) => [...row]);
  const open = [...primal.open];
  for (const [place, amount] of [
    [from, -units],
    [to, units],
  ] as const) {
    const row = place === undefined ? open : (flows[task] ?? []);
    row[place ?? task] = (row[place ?? task] ?? 0) + amount;
  }
  return { flows, open };
}
