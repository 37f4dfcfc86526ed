import { type Problem, supplySteps } from "../model.ts";
import type { NodeColumns } from "../node-columns.ts";

/** Shape of a generated market. */
export interface MarketSize {
  readonly tasks: number;
  readonly classes: number;
  /** Nodes in all. */
  readonly nodes: number;
  /** Share of the classes that a task accepts, from 0 to 1. */
  readonly density: number;
  /** Units that the tasks want for each unit that the nodes have, on average. */
  readonly demand: number;
  readonly seed: number;
}

/** A tick, and the smallest surcharge, in micro-VER × 1024. */
const SCALE = 1000 * 1024;

/**
 * A market in class form, the same for the same seed: each class has a price level of its own, around which its nodes ask;
 * tasks differ in what they want, what they pay at most, which classes they accept and what they think of them.
 * O(nodes × log(nodes) + tasks × classes).
 */
export function marketProblem(size: MarketSize): Problem {
  return generateMarket(size).problem;
}

/** The nodes of each class of that market, as columns. */
export function marketNodes(size: MarketSize): MarketNodes[] {
  return generateMarket(size).supply.map(columns);
}

/** Ticks and units of a class's nodes. */
export type MarketNodes = Pick<NodeColumns, "ticks" | "units">;

function columns(offers: readonly { readonly tick: number; readonly units: number }[]): MarketNodes {
  return {
    ticks: Uint16Array.from(offers, ({ tick }) => tick),
    units: Uint32Array.from(offers, ({ units }) => units),
  };
}

/** Price of a tick of these markets, micro-VER × 1024. */
export const MARKET_TICK = SCALE;

function generateMarket({ tasks, classes, nodes, density, demand, seed }: MarketSize) {
  const random = randomNumbers(seed);
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const levels = Array.from({ length: classes }, () => between(100, 2000));
  const supply = levels.map((): { tick: number; units: number }[] => []);
  let listed = 0;
  for (let i = 0; i < nodes; i++) {
    const column = between(0, classes - 1);
    const tick = (levels[column] ?? 0) + between(0, 1500);
    const units = between(1, 16);
    listed += units;
    supply[column]?.push({ tick, units });
  }
  const mean = (listed * demand) / tasks;
  const problem: Problem = {
    tasks: Array.from({ length: tasks }, (_, t) => {
      const columns = [...levels.keys()].filter(() => random() < density);
      return {
        id: t + 1,
        units: between(1, Math.max(1, Math.round(2 * mean))),
        maxPrice: between(500, 5000) * SCALE + 1023,
        choices: (columns.length > 0 ? columns : [t % classes]).map((column) => ({
          column,
          surcharge: between(0, 500) * SCALE + between(0, 1023),
        })),
      };
    }),
    classes: supply.map((offers, column) => ({
      id: column + 1,
      label: `class ${column + 1}`,
      tickPrice: SCALE,
      steps: supplySteps(columns(offers), SCALE),
    })),
  };
  return { problem, supply };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
