import type { Primal, Problem } from "./model.ts";
import { requireThat } from "./refusal.ts";
import type { Solver } from "./solver.ts";

/**
 * Solves by successive shortest paths in exact integers: the second opinion for rounds where a floating-point solver
 * gives up, and the reference that tests compare with.
 *
 * Units of one task after the other are sent along the cheapest path to supply or to staying open; a path may push units
 * of earlier tasks into other classes. O(paths × (tasks + classes) × tasks × accepted classes), so for small rounds.
 */
export const pathSolver: Solver = { name: "shortest paths", suits, solve };

/** Maximum choices of all tasks together for which it ends in seconds. */
const COMFORTABLE = 20_000;

function suits({ tasks }: Problem): boolean {
  return tasks.reduce((sum, { choices }) => sum + choices.length, 0) <= COMFORTABLE;
}

/** How a vertex was reached: from which one, and by which flow. */
interface Hop {
  readonly from: number;
  readonly task: number;
  readonly choice: number;
}

interface State {
  readonly problem: Problem;
  readonly flows: number[][];
  readonly open: number[];
  /** Index of the cheapest step with unused units of each class, and how many of its units are used. */
  readonly step: number[];
  readonly used: number[];
}

function solve(problem: Problem): Primal {
  const state: State = {
    problem,
    flows: problem.tasks.map(({ choices }) => choices.map(() => 0)),
    open: problem.tasks.map(() => 0),
    step: problem.classes.map(() => 0),
    used: problem.classes.map(() => 0),
  };
  problem.tasks.forEach(({ units }, source) => {
    for (let left = units; left > 0;) left -= augment(state, source, left);
  });
  return { flows: state.flows, open: state.open };
}

/** Sends up to `most` units of a task along one cheapest path, and returns how many. */
function augment(state: State, source: number, most: number): number {
  const { problem, flows, open } = state;
  const count = problem.tasks.length;
  const { distances, hops } = shortestPaths(state, source);

  // Where the path ends: a class with unused supply, or a task that leaves a unit open.
  let end = source;
  let best: bigint | undefined;
  distances.forEach((distance, vertex) => {
    const price = vertex < count ? problem.tasks[vertex]?.maxPrice : stepAt(state, vertex - count)?.price;
    if (distance === undefined || price === undefined) return;
    const total = distance + BigInt(price);
    if (best === undefined || total < best) [end, best] = [vertex, total];
  });

  const path: Hop[] = [];
  for (let vertex = end; vertex !== source;) {
    const hop = hops[vertex];
    requireThat(hop !== undefined && path.length <= hops.length, "SolverFailed", () => "A shortest path has no start.");
    path.push(hop);
    vertex = hop.from;
  }
  let units =
    end < count ? most : Math.min(most, (stepAt(state, end - count)?.units ?? 0) - (state.used[end - count] ?? 0));
  for (const { from, task, choice } of path) {
    if (from >= count) units = Math.min(units, flows[task]?.[choice] ?? 0);
  }
  for (const { from, task, choice } of path) add(flows[task], choice, from < count ? units : -units);
  if (end < count) add(open, end, units);
  else use(state, end - count, units);
  return units;
}

/** Bellman-Ford from a task over tasks (0 …) and classes (tasks.length …): forth through choices, back through flows. */
function shortestPaths({ problem, flows }: State, source: number): { distances: (bigint | undefined)[]; hops: Hop[] } {
  const count = problem.tasks.length;
  const distances: (bigint | undefined)[] = Array.from({ length: count + problem.classes.length });
  const hops: Hop[] = Array.from({ length: distances.length });
  distances[source] = 0n;
  for (let changed = true; changed;) {
    changed = false;
    const relax = (from: number, to: number, cost: bigint, task: number, choice: number): void => {
      const start = distances[from];
      const known = distances[to];
      if (start === undefined || (known !== undefined && known <= start + cost)) return;
      distances[to] = start + cost;
      hops[to] = { from, task, choice };
      changed = true;
    };
    problem.tasks.forEach(({ choices }, t) => {
      choices.forEach(({ column, surcharge }, c) => {
        relax(t, count + column, BigInt(surcharge), t, c);
        if ((flows[t]?.[c] ?? 0) > 0) relax(count + column, t, -BigInt(surcharge), t, c);
      });
    });
  }
  return { distances, hops };
}

function stepAt({ problem, step }: State, column: number): { price: number; units: number } | undefined {
  return problem.classes[column]?.steps[step[column] ?? 0];
}

function use(state: State, column: number, units: number): void {
  add(state.used, column, units);
  if (state.used[column] !== stepAt(state, column)?.units) return;
  state.used[column] = 0;
  add(state.step, column, 1);
}

function add(list: number[] | undefined, index: number, amount: number): void {
  if (list) list[index] = (list[index] ?? 0) + amount;
}
