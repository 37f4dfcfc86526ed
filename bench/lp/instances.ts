import { createHighsSolver } from "@verai/protocol/allocation/highs-solver";
import { greedySolver } from "@verai/protocol/allocation/greedy-solver";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import type { Choice, Problem, ProblemClass } from "@verai/protocol/allocation/model";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { pathSolver } from "@verai/protocol/allocation/path-solver";
import type { Solver } from "@verai/protocol/allocation/solver";
import {
  marketNodes,
  type MarketNodes,
  marketProblem,
  type MarketSize,
} from "@verai/protocol/allocation/testing/market";

/** Solvers by the name that a measuring process is told. */
export const SOLVERS: Readonly<Record<string, () => Promise<Solver>>> = {
  "cheapest-first": async () => greedySolver,
  "network-simplex": async () => networkSimplex,
  "highs-wasm": async () => createHighsSolver({ timeLimit: 3600 }),
  "javascript-lp-solver": async () => lpSolver,
  "shortest-paths": async () => pathSolver,
};

/** Whether a solver has an answer for a market at all. */
export function answers(solver: string, { tasks }: Market): boolean {
  return solver !== "cheapest-first" || tasks === 1;
}

/** A market but for its seed: each is solved with every one of {@link SEEDS}. */
export interface Market extends Omit<MarketSize, "seed"> {
  /** Solved with a class for each node, so that there is an unknown for each task and node: the same optimum. */
  readonly flat?: true;
}

export const SEEDS = [1, 2, 3] as const;

function market(tasks: number, nodes: number, classes: number, density = 0.5, demand = 0.9): Market {
  return { tasks, nodes, classes, density, demand };
}

/** Sizes that rounds can have: the contracts bring at most 16 tasks into a round by default, and never more than 32. */
export const ROUNDS: readonly Market[] = [
  market(1, 1000, 1, 1),
  market(1, 100_000, 1, 1),
  market(16, 1000, 8),
  market(32, 10_000, 16, 0.1),
  market(32, 10_000, 16, 0.5, 0.3),
  market(32, 10_000, 16),
  market(32, 10_000, 16, 0.5, 1.5),
  market(32, 10_000, 16, 1),
  market(32, 100_000, 16),
];

/** Far larger than any round, to see how time grows. */
export const LARGE: readonly Market[] = [
  market(100, 1000, 16),
  market(500, 5000, 48, 0.1),
  market(500, 5000, 48, 0.5, 0.3),
  market(500, 5000, 48),
  market(500, 5000, 48, 0.5, 1.5),
  market(500, 5000, 48, 1),
  market(2000, 100_000, 96),
];

/** Those of `--quick`: the largest round, and one size beyond it. */
export const QUICK: readonly Market[] = [market(1, 100_000, 1, 1), market(32, 10_000, 16), market(500, 5000, 48, 0.1)];

/** A market in class form, and flat. */
export const FLAT: readonly Market[] = [market(100, 1000, 16), { ...market(100, 1000, 16), flat: true }];

/** The problem that a market with a seed is. */
export function problemOf(market: Market, seed: number): Problem {
  const problem = marketProblem({ ...market, seed });
  return market.flat ? flatten(problem, marketNodes({ ...market, seed })) : problem;
}

/** The same problem with a class for each node. */
function flatten({ tasks, classes }: Problem, nodes: readonly MarketNodes[]): Problem {
  const first: number[] = [];
  const flat: ProblemClass[] = [];
  for (const [column, { ticks, units }] of nodes.entries()) {
    first.push(flat.length);
    const tickPrice = classes[column]?.tickPrice ?? 0;
    ticks.forEach((tick, i) => {
      const steps = [{ price: tick * tickPrice, units: units[i] ?? 0 }];
      flat.push({ id: flat.length + 1, label: `node ${flat.length + 1}`, tickPrice, steps });
    });
  }
  const spread = ({ column, surcharge }: Choice): Choice[] =>
    Array.from({ length: nodes[column]?.ticks.length ?? 0 }, (_, i) => ({
      column: (first[column] ?? 0) + i,
      surcharge,
    }));
  return { tasks: tasks.map((task) => ({ ...task, choices: task.choices.flatMap(spread) })), classes: flat };
}

/** Words for a market. */
export function describeMarket({ tasks, nodes, classes, density, demand, flat }: Market): string {
  const count = (number: number, one: string, many: string): string =>
    `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  const size = `${count(tasks, "task", "tasks")}, ${count(nodes, "node", "nodes")}, ${count(classes, "class", "classes")}`;
  return `${size}; ${percent(density)} accepted, ${percent(demand)} wanted${flat ? "; flat, tasks × nodes" : ""}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
