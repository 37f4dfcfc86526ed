/* The arrays' bounds are the problem's own indices: every "!" in this file is an element that exists. */
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
  const vertices = count + problem.classes.length;
  /** Vertices: tasks, then classes. Where a distance came from, and by which choice; NONE: the origin. */
  const parents: Parents = { vertex: new Int32Array(vertices).fill(NONE), choice: new Int32Array(vertices) };
  const distances = Float64Array.from([
    ...problem.tasks.map(({ maxPrice }) => maxPrice),
    ...supply.map(({ unused }) => unused?.price ?? Infinity),
  ]);
  const least = Float64Array.from([
    ...problem.tasks.map(({ maxPrice }, t) => ((primal.open[t] ?? 0) > 0 ? maxPrice : -Infinity)),
    ...supply.map(({ used }) => used?.price ?? -Infinity),
  ]);
  const arcs = arcsOf(problem, primal);

  const exchange = (vertex: number): Finding => {
    const cycle = cycleAt(vertex, parents, count);
    return { optimal: false, exchange: exchangeAlong(problem, primal, supply, cycle) };
  };
  /** Improves a distance if it can; true if that takes it below its lower bound. */
  let changed = true;
  const relax = (from: number, to: number, length: number, choice: number): boolean => {
    const distance = distances[from]! + length;
    if (distance >= distances[to]!) return false;
    distances[to] = distance;
    parents.vertex[to] = from;
    parents.choice[to] = choice;
    changed = true;
    return distance < least[to]!;
  };
  while (changed) {
    changed = false;
    for (let t = 0; t < count; t++) {
      const first = arcs.first[t]!;
      const end = arcs.first[t + 1]!;
      for (let arc = first; arc < end; arc++) {
        if (relax(arcs.column[arc]!, t, arcs.surcharge[arc]!, arc - first)) return exchange(t);
      }
      for (let arc = first; arc < end; arc++) {
        if (arcs.flows[arc] === 1 && relax(t, arcs.column[arc]!, -arcs.surcharge[arc]!, arc - first)) {
          return exchange(arcs.column[arc]!);
        }
      }
    }
    const looped = vertexOnLoop(parents);
    if (looped !== NONE) return exchange(looped);
  }

  const clearing = Array.from(distances.subarray(count), (price) => BigInt(Math.min(price, CLEARING_UNBOUNDED)));
  return { optimal: true, certificate: certify(problem, primal, clearing) };
}

/** Where the distance of each vertex came from, and by which choice of the task at either end. */
interface Parents {
  readonly vertex: Int32Array;
  readonly choice: Int32Array;
}

/** A vertex that is none. */
const NONE = -1;

/** The choices of all tasks, flat: those of task t are `first[t]` up to but not including `first[t + 1]`. */
interface Arcs {
  readonly first: Int32Array;
  /** Vertex of the class. */
  readonly column: Int32Array;
  readonly surcharge: Float64Array;
  /** 1 where units flow. */
  readonly flows: Uint8Array;
}

function arcsOf({ tasks }: Problem, primal: Primal): Arcs {
  const count = tasks.reduce((sum, { choices }) => sum + choices.length, 0);
  const arcs = {
    first: new Int32Array(tasks.length + 1),
    column: new Int32Array(count),
    surcharge: new Float64Array(count),
    flows: new Uint8Array(count),
  };
  let arc = 0;
  for (const [t, { choices }] of tasks.entries()) {
    const flows = primal.flows[t]!;
    for (let c = 0; c < choices.length; c++) {
      const { column, surcharge } = choices[c]!;
      arcs.column[arc] = tasks.length + column;
      arcs.surcharge[arc] = surcharge;
      arcs.flows[arc++] = flows[c]! > 0 ? 1 : 0;
    }
    arcs.first[t + 1] = arc;
  }
  return arcs;
}

/** Some vertex on a cycle of parents, or NONE. Bellman-Ford has one after finitely many passes if a cycle is negative. O(vertices). */
function vertexOnLoop({ vertex: parent }: Parents): number {
  /** The walk on which each vertex was met first. */
  const walks = new Int32Array(parent.length).fill(NONE);
  for (let start = 0; start < parent.length; start++) {
    for (let vertex = start; vertex !== NONE; vertex = parent[vertex]!) {
      if (walks[vertex] === start) return vertex;
      if (walks[vertex] !== NONE) break;
      walks[vertex] = start;
    }
  }
  return NONE;
}

/**
 * The negative cycle behind a vertex: the loop of parents that leads to it, or else the path from the origin to it,
 * closed through its lower bound.
 *
 * Walked backwards, a task's parent is the class that it takes its unit in, a class's parent the task that gives one up.
 */
function cycleAt(end: number, parents: Parents, count: number): Cycle {
  const loop = loopBehind(end, parents);
  const start = loop === NONE ? end : loop;
  const moves: Move[] = [];
  // What the task visited last, in walking order, gives up is known before what it takes.
  let from: number | undefined;
  let vertex = start;
  do {
    const parent = parents.vertex[vertex]!;
    const choice = parent === NONE ? undefined : parents.choice[vertex]!;
    if (vertex < count) moves.push({ task: vertex, from, to: choice });
    from = choice;
    if (parent === NONE) break;
    vertex = parent;
  } while (vertex !== start);
  if (loop === NONE) {
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

/** Where the walk back from a vertex comes to a loop, or NONE. O(vertices). */
function loopBehind(end: number, { vertex: parent }: Parents): number {
  const met = new Uint8Array(parent.length);
  let vertex = end;
  while (vertex !== NONE && met[vertex] === 0) {
    met[vertex] = 1;
    vertex = parent[vertex]!;
  }
  return vertex;
}
