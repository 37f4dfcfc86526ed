import { planRoundWith } from "@verai/protocol/allocation/round-plan";
import type { ListedNode, Round, RoundClass } from "@verai/protocol/allocation/model";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { keeperSolvers } from "../../keepers/allocation/solvers.ts";
import { median, timed } from "./cpu.ts";
import { SEEDS } from "./instances.ts";

/** A round of one task that is planned whole. */
export interface PlanCase {
  readonly nodes: number;
  readonly classes: number;
  /** Units that a node lists at most: with 1, each unit is a lease of its own. */
  readonly nodeUnits: number;
  /** How the list comes: in the order in which nodes registered, or as keepers read it, by price. */
  readonly order: "registered" | "price";
}

/** Medians of a case. Processor time in milliseconds. */
export interface PlanFigures {
  readonly plan: number;
  readonly objects: number;
  readonly arrays: number;
  /** The whole plan relative to the faster of the two, turn by turn. */
  readonly ratio: number;
  readonly leases: number;
}

/** What the whole plan may take at most, in times of sorted greedy. */
export const PLAN_GOAL = 2;

/** Units that the task wants: what a round of that many leases can settle. */
const UNITS = 192;

export const PLAN_CASES: readonly PlanCase[] = [
  { nodes: 100_000, classes: 1, nodeUnits: 1, order: "registered" },
  { nodes: 100_000, classes: 1, nodeUnits: 1, order: "price" },
  { nodes: 100_000, classes: 1, nodeUnits: 16, order: "registered" },
  { nodes: 100_000, classes: 1, nodeUnits: 16, order: "price" },
  { nodes: 100_000, classes: 16, nodeUnits: 16, order: "price" },
];

/** Each turn times each way so many times over, because the clock of processor time is coarse. */
const TIMES = 6;
const WARM_UP = 2;

/**
 * Measures the whole of `planRound` (validation, solve, certificate, packing, verification of the packed bytes) beside
 * sorted greedy, which only picks nodes. They take turns in one process. Each plan is of a list that has not been seen.
 */
export function measurePlan(each: PlanCase, stagger: number): PlanFigures {
  const solvers = keeperSolvers();
  const [plan, objects, arrays, ratios]: [number[], number[], number[], number[]] = [[], [], [], []];
  let leases = 0;
  for (const seed of SEEDS) {
    const made = makeRound(each, seed);
    for (let turn = 0; turn < stagger + WARM_UP; turn++) {
      const rounds = Array.from({ length: TIMES }, (_, i) => anew(made, turn * TIMES + i));
      const time = (run: (round: Round) => unknown): number => {
        const all: number[] = [];
        timed(all, () => {
          for (const round of rounds) run(round);
        });
        return (all[0] ?? 0) / TIMES;
      };
      const its = time((round) => {
        const found = planRoundWith(round, solvers);
        if (found.kind === "refusal") throw new Error(found.why);
        leases = found.rows.length;
      });
      const [sorted, typed] = [time(greedyOfObjects), time(greedyOfArrays)];
      if (turn < WARM_UP) continue;
      plan.push(its);
      objects.push(sorted);
      arrays.push(typed);
      ratios.push(its / Math.min(sorted, typed));
    }
  }
  return { plan: median(plan), objects: median(objects), arrays: median(arrays), ratio: median(ratios), leases };
}

/** Sorted greedy as anybody would write it: offers the task can pay, sorted by price, until it has its units. */
export function greedyOfObjects({ tasks: [task], classes }: Round): { id: number; units: number }[] {
  const surcharges = new Map(task?.classes.map(({ classId, surcharge }) => [classId, surcharge]));
  const offers: { id: number; units: number; price: number }[] = [];
  for (const { id: classId, tickSize, nodes } of classes) {
    const surcharge = surcharges.get(classId) ?? 0;
    for (const { id, tick, units } of nodes) {
      const price = tick * tickSize + surcharge;
      if (price <= (task?.maxPrice ?? 0)) offers.push({ id, units, price });
    }
  }
  offers.sort((a, b) => a.price - b.price);
  const granted: { id: number; units: number }[] = [];
  let left = task?.units ?? 0;
  for (const { id, units } of offers) {
    if (left === 0) break;
    granted.push({ id, units: Math.min(units, left) });
    left -= Math.min(units, left);
  }
  return granted;
}

/** A node's place in the list fits below this in a sorting key. */
const PLACES = 2 ** 20;

/** The same with price and place as one number in a typed array, which sorts without comparing by a function. */
export function greedyOfArrays({ tasks: [task], classes }: Round): { id: number; units: number }[] {
  const surcharges = new Map(task?.classes.map(({ classId, surcharge }) => [classId, surcharge]));
  const listed: ListedNode[] = [];
  const keys = new Float64Array(classes.reduce((sum, { nodes }) => sum + nodes.length, 0));
  for (const { id, tickSize, nodes } of classes) {
    const surcharge = surcharges.get(id) ?? 0;
    for (const node of nodes) {
      keys[listed.length] = (node.tick * tickSize + surcharge) * PLACES + listed.length;
      listed.push(node);
    }
  }
  keys.sort();
  const granted: { id: number; units: number }[] = [];
  let left = task?.units ?? 0;
  for (const key of keys) {
    const node = listed[key % PLACES];
    if (left === 0 || !node || Math.floor(key / PLACES) > (task?.maxPrice ?? 0)) break;
    granted.push({ id: node.id, units: Math.min(node.units, left) });
    left -= Math.min(node.units, left);
  }
  return granted;
}

export function makeRound({ nodes, classes: count, nodeUnits, order }: PlanCase, seed: number): Round {
  const random = randomNumbers(seed);
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const classes = Array.from({ length: count }, (_, id) => ({ id, tickSize: 1000, nodes: [] as ListedNode[] }));
  const next = new Map<number, number>();
  for (let id = 1; id <= nodes; id++) {
    const [column, tick] = [between(0, count - 1), between(300, 2500)];
    const position = next.get(column * 4096 + tick) ?? 0;
    next.set(column * 4096 + tick, position + 1);
    classes[column]?.nodes.push({ id, tick, units: between(1, nodeUnits), position });
  }
  if (order === "price") {
    for (const each of classes) each.nodes.sort((a, b) => a.tick - b.tick || a.position - b.position);
  }
  const accepted = classes.map(({ id }) => ({ classId: id, surcharge: between(0, 200) * 1000 }));
  const task = { id: 1, units: UNITS, maxPrice: 5_000_000, classes: accepted };
  return { roundId: seed, seed: `0x${"5e".repeat(32)}`, tasks: [task], classes };
}

/** The round as if it had just been read, with a seed of its own. */
function anew(round: Round, number: number): Round {
  const classes = round.classes.map((each): RoundClass => ({ ...each, nodes: [...each.nodes] }));
  return { ...round, seed: `0x${number.toString(16).padStart(64, "5e")}`, classes };
}
