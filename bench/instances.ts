import { createHighsSolver } from "@verai/protocol/allocation/highs-solver";
import { greedySolver } from "@verai/protocol/allocation/greedy-solver";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { pathSolver } from "@verai/protocol/allocation/path-solver";
import type { Solver } from "@verai/protocol/allocation/solver";
import type { MarketSize } from "@verai/protocol/allocation/testing/market";

/** Solvers by the name that a measuring process is told. */
export const SOLVERS: Readonly<Record<string, () => Promise<Solver>>> = {
  "cheapest-first": async () => greedySolver,
  "network-simplex": async () => networkSimplex,
  highs: async () => createHighsSolver({ timeLimit: 3600 }),
  "javascript-lp-solver": async () => lpSolver,
  "shortest-paths": async () => pathSolver,
};

/** Whether a solver has an answer for a market at all. */
export function answers(solver: string, { tasks }: MarketSize): boolean {
  return solver !== "cheapest-first" || tasks === 1;
}

const size = (tasks: number, nodes: number, classes: number, density = 0.5): MarketSize => ({
  tasks,
  nodes,
  classes,
  density,
  demand: 0.9,
  seed: 1,
});

/** The markets that are solved, smallest first. Tasks accept half of the classes, and want nine units of ten. */
export const MARKETS: readonly MarketSize[] = [
  size(1, 1000, 1, 1),
  size(1, 100_000, 1, 1),
  size(20, 200, 6),
  size(50, 500, 10),
  size(100, 1000, 16),
  size(200, 2000, 24),
  size(500, 5000, 48),
  size(1000, 20_000, 48),
  size(2000, 100_000, 96),
];

/** Those of `--quick`. */
export const QUICK: readonly MarketSize[] = MARKETS.filter(({ tasks }) => [1, 50, 500].includes(tasks));

/** Words for a market. */
export function describeMarket({ tasks, nodes, classes }: MarketSize): string {
  const count = (number: number, one: string, many: string): string =>
    `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  return `${count(tasks, "task", "tasks")}, ${count(nodes, "node", "nodes")}, ${count(classes, "class", "classes")}`;
}
