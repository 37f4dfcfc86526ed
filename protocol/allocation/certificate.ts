import { type Certificate, certify, requireFeasible } from "./certify.ts";
import { type Cycle, type Exchange, exchangeAlong, type Move, supplyAt } from "./exchange.ts";
import { type Primal, type Problem, unitsByClass } from "./model.ts";

/** Clearing price posted for a class that nothing binds from above: one that lists nothing. 2^53 − 1. */
export const CLEARING_UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** The prices that prove a solution optimal, or the exchange that shows it is not. */
export type Finding =
  | { readonly optimal: true; readonly certificate: Certificate }
  | { readonly optimal: false; readonly exchange: Exchange };

/**
 * Recovers clearing prices from any solution, whichever solver found it, by shortest paths.
 *
 * With an origin of price 0 every condition on the prices bounds a difference of two of them: u_t − m_k ≤ q'_tk;
 * m_k − u_t ≤ −q'_tk where units of t flow through k; u_t ≤ M'_t, and ≥ where units stay open; m_k ≤ the cheapest step
 * with unused units, and ≥ the dearest step with used ones. Distances from the origin (Bellman-Ford) are their greatest
 * solution, which is the same for every optimal solution. There is none exactly if a cycle is negative, and a negative
 * cycle is an exchange of units that saves its length. (m_k ≥ 0 follows from the others.)
 *
 * All distances stay within ±2^51, so that doubles are exact: a walk that gets below a lower bound ends the search.
 *
 * O((tasks + classes) × tasks × accepted classes) at worst; a few passes over the choices in practice.
 *
 * @throws Refusal if the solution does not keep to the problem, see {@link requireFeasible}.
 */
export function findPrices(problem: Problem, primal: Primal): Finding {
  requireFeasible(problem, primal);
  const supply = supplyAt(problem, unitsByClass(problem, primal.flows));
  const count = problem.tasks.length;
  /** Vertices: tasks, then classes. Where a distance came from; undefined: the origin. */
  const parents: (Parent | undefined)[] = Array.from({ length: count + problem.classes.length });
  const distances = [
    ...problem.tasks.map(({ maxPrice }) => maxPrice),
    ...supply.map(({ unused }) => unused?.price ?? Infinity),
  ];
  const least = [
    ...problem.tasks.map(({ maxPrice }, t) => ((primal.open[t] ?? 0) > 0 ? maxPrice : -Infinity)),
    ...supply.map(({ used }) => used?.price ?? -Infinity),
  ];
  const at = (vertex: number): number => distances[vertex] ?? Infinity;

  const exchange = (vertex: number): Finding => {
    const cycle = cycleAt(vertex, parents, count);
    return { optimal: false, exchange: exchangeAlong(problem, primal, supply, cycle) };
  };
  /** Improves a distance if it can; true if that takes it below its lower bound. */
  let changed = true;
  const relax = (from: number, to: number, length: number, choice: number): boolean => {
    const distance = at(from) + length;
    if (distance >= at(to)) return false;
    distances[to] = distance;
    parents[to] = { vertex: from, choice };
    changed = true;
    return distance < (least[to] ?? -Infinity);
  };
  while (changed) {
    changed = false;
    for (const [t, { choices }] of problem.tasks.entries()) {
      for (const [c, { lane, surcharge }] of choices.entries()) {
        const k = count + lane;
        if (relax(k, t, surcharge, c)) return exchange(t);
        if ((primal.flows[t]?.[c] ?? 0) > 0 && relax(t, k, -surcharge, c)) return exchange(k);
      }
    }
    const looped = vertexOnLoop(parents);
    if (looped !== undefined) return exchange(looped);
  }

  const clearing = distances.slice(count).map((distance) => BigInt(Math.min(distance, CLEARING_UNBOUNDED)));
  return { optimal: true, certificate: certify(problem, primal, clearing) };
}

/** Where a vertex's distance came from, and by which choice of the task at either end. */
interface Parent {
  readonly vertex: number;
  readonly choice: number;
}

/** Some vertex on a cycle of parents. Bellman-Ford has one after finitely many passes if a cycle is negative. O(vertices). */
function vertexOnLoop(parents: readonly (Parent | undefined)[]): number | undefined {
  /** The walk on which each vertex was met first. */
  const walks = parents.map(() => -1);
  for (const start of parents.keys()) {
    for (let vertex: number | undefined = start; vertex !== undefined; vertex = parents[vertex]?.vertex) {
      if (walks[vertex] === start) return vertex;
      if (walks[vertex] !== -1) break;
      walks[vertex] = start;
    }
  }
  return undefined;
}

/**
 * The negative cycle behind a vertex: the loop of parents that leads to it, or else the path from the origin to it,
 * closed through its lower bound.
 *
 * Walked backwards, a task's parent is the class that it takes its unit in, a class's parent the task that gives one up.
 */
function cycleAt(end: number, parents: readonly (Parent | undefined)[], count: number): Cycle {
  const loop = vertexOnLoop(walkFrom(end, parents));
  const start = loop ?? end;
  const moves: Move[] = [];
  // What the task visited last, in walking order, gives up is known before what it takes.
  let from: number | undefined;
  let vertex = start;
  do {
    const parent = parents[vertex];
    if (vertex < count) moves.push({ task: vertex, from, to: parent?.choice });
    from = parent?.choice;
    if (!parent) break;
    vertex = parent.vertex;
  } while (vertex !== start);
  if (loop === undefined) {
    return {
      moves: moves.reverse(),
      draws: vertex < count ? undefined : vertex - count,
      returns: end < count ? undefined : end - count,
    };
  }
  // The first task of a loop that was entered at a task gives up what the last step of the walk says.
  const first = moves[0];
  if (start < count && first) moves[0] = { ...first, from };
  return { moves: moves.reverse(), draws: undefined, returns: undefined };
}

/** The parents of the vertices that the walk back from one of them meets; all others have none. */
function walkFrom(end: number, parents: readonly (Parent | undefined)[]): (Parent | undefined)[] {
  const met: (Parent | undefined)[] = parents.map(() => undefined);
  for (let vertex: number | undefined = end; vertex !== undefined && !met[vertex]; vertex = parents[vertex]?.vertex) {
    met[vertex] = parents[vertex];
  }
  return met;
}
