/* Every element that is asked for here exists, once lengths have been checked: every "!" in this file. */
import { DITHER, PRICE_UNIT } from "../money/units.ts";
import { formatPrice, formatVer } from "../money/ver.ts";
import { type Primal, type Problem, unitsBelowAndAt, unitsByClass } from "./model.ts";
import { RefusalError, requireThat } from "./refusal.ts";

/** Prices that prove a solution optimal. All micro-VER × 1024. */
export interface Certificate {
  /** Clearing price m' of each class, in the order of the problem's classes. */
  readonly clearing: readonly bigint[];
  /** Price u of each task: what its dearest unit costs it, surcharge and dither included. */
  readonly taskPrices: readonly bigint[];
}

/** Clearing prices are posted with 64 bits. */
const MAX_CLEARING = 2n ** 64n - 1n;

/** No task pays more, and a surcharge on top of it is still exact in a double: prices of a problem are below 2^51. */
const EXACT = 2n ** 52n;

/**
 * Checks that a solution keeps to the problem: whole units, none negative, none lost, no class asked for more than it
 * lists. O(tasks × accepted classes).
 *
 * @throws Refusal `InvalidFlows`, `TaskOverfilled` or `ClearingPriceMismatch`.
 */
export function requireFeasible(problem: Problem, primal: Primal): void {
  const { flows, open } = primal;
  requireThat(
    flows.length === problem.tasks.length && open.length === problem.tasks.length,
    "InvalidFlows",
    () => `The flows of ${flows.length} tasks are given where the round has ${problem.tasks.length}.`,
  );
  problem.tasks.forEach(({ id, units, choices }, t) => {
    const row = flows[t] ?? [];
    const left = open[t] ?? NaN;
    requireThat(
      row.length === choices.length && row.every(isAmount) && isAmount(left),
      "InvalidFlows",
      () =>
        `The flows of task ${id} (${row.join(", ")}; ${left} open) are not one whole number for each of its classes.`,
    );
    const granted = row.reduce((sum, each) => sum + each, 0);
    requireThat(
      granted <= units,
      "TaskOverfilled",
      () => `Task ${id} is granted ${granted} units although it brought ${units} into the round.`,
    );
    requireThat(
      granted + left === units,
      "InvalidFlows",
      () => `Of the ${units} units of task ${id}, ${granted} are granted and ${left} stay open.`,
    );
  });
  unitsByClass(problem, flows).forEach((units, k) => {
    const listed = (problem.classes[k]?.steps ?? []).reduce((sum, step) => sum + step.units, 0);
    requireThat(
      units <= listed,
      "ClearingPriceMismatch",
      () => `${units} units flow through ${problem.classes[k]?.label ?? ""}, which lists ${listed}.`,
    );
  });
}

/**
 * Checks in exact integers that clearing prices prove a solution optimal: the checks of `Certificate.sol` and of
 * `Listings.sol` on amounts, in their order. docs/concepts/allocation.md proves that they suffice.
 *
 * To be used after every solve and before every post, whichever solver ran.
 *
 * O(tasks × accepted classes + steps).
 *
 * @throws Refusal with the code of the contracts' error; `InvalidFlows` or `InvalidPrice` for what cannot be posted.
 */
export function certify(problem: Problem, primal: Primal, clearing: readonly bigint[]): Certificate {
  requireThat(
    clearing.length === problem.classes.length && clearing.every((price) => price >= 0n && price <= MAX_CLEARING),
    "InvalidPrice",
    () => `The clearing prices ${clearing.join(", ")} are not one 64-bit number for each of the classes.`,
  );
  requireFeasible(problem, primal);
  // Above EXACT a class is dearer than any task pays: no unit may flow through it, however dear it is. Up to it, doubles
  // add and compare exactly.
  const prices = Float64Array.from(clearing, (price) => (price > EXACT ? Infinity : Number(price)));
  const taskPrices = problem.tasks.map(({ id, maxPrice, choices }, t) => {
    let cheapest = maxPrice;
    for (const { column, surcharge } of choices) {
      const cost = prices[column]! + surcharge;
      if (cost < cheapest) cheapest = cost;
    }
    const flows = primal.flows[t]!;
    for (let c = 0; c < choices.length; c++) {
      const { column, surcharge } = choices[c]!;
      if (flows[c] === 0 || prices[column]! + surcharge === cheapest) continue;
      const cost = scaled((clearing[column] ?? 0n) + BigInt(surcharge));
      throw new RefusalError(
        "FlowNotCheapest",
        `Task ${id} uses ${problem.classes[column]?.label ?? ""} at ${cost} VER a unit ` +
          `where it has a choice at ${scaled(BigInt(cheapest))} VER.`,
      );
    }
    requireThat(
      primal.open[t] === 0 || cheapest === maxPrice,
      "OpenUnitsAffordable",
      () =>
        `Units of task ${id} stay open although a class serves them at ${scaled(BigInt(cheapest))} VER, ` +
        `below its maximum of ${formatPrice(Math.floor(maxPrice / DITHER))} VER.`,
    );
    return BigInt(cheapest);
  });
  unitsByClass(problem, primal.flows).forEach((units, k) => {
    const { below, at } = unitsBelowAndAt(problem.classes[k]?.steps ?? [], clearing[k] ?? 0n);
    requireThat(
      below <= units && units <= below + at,
      "ClearingPriceMismatch",
      () =>
        `At a clearing price of ${scaled(clearing[k] ?? 0n)} VER at least ${below} and at most ${below + at} units ` +
        `of ${problem.classes[k]?.label ?? ""} must be granted, not ${units}.`,
    );
  });
  return { clearing, taskPrices };
}

function isAmount(units: number): boolean {
  return Number.isSafeInteger(units) && units >= 0;
}

/** A scaled price in VER. Exact: 1/1024 of a micro-VER is a whole number of wei. */
function scaled(price: bigint): string {
  return formatVer((price * PRICE_UNIT) / BigInt(DITHER));
}
