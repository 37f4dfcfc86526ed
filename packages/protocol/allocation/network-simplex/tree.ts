/* The arrays' bounds are the tree's own indices: every "!" in this folder is an element that exists. */
import { requireThat } from "../refusal.ts";
import type { Instance } from "./instance.ts";

/** Parent of a vertex that is not in the tree, and end of a list of children. */
export const NONE = -1;

/** Prices beyond this end the search: up to it, a cost up to 2^50 plus or minus two of them stays below 2^53. */
const EXACT = 3 * 2 ** 50;

/**
 * The basis: a spanning tree, with what flows along its arcs and the potentials that follow from it.
 *
 * - An arc between a task and a class carries the units of the task in the class. Outside the tree none flow.
 * - The arc between a task and the root carries the units that stay open.
 * - The arc between a class and the root carries what the class supplies, cheapest step first. It is a convex arc: each
 *   step is an arc of its own, of which those before `step` are used up, those after it unused, and `step` itself is
 *   used by `fill` units. In the tree it stands for that step, with 0 ≤ fill < units; outside the tree fill is 0.
 *
 * The price of the root is 0; the price of a class or task is what one more of its units costs along the tree.
 *
 * **Exact.** Costs are whole numbers up to 2^50, and prices are sums and differences of them, along paths of any length.
 * Yet 0 ≤ price ≤ 2^50 for each whenever no vertex is suspect: no task's price is above its maximum, nor below that of a
 * class above it; no class's price is above that of a task above it, nor below a step that it uses (below a task it uses
 * some). An arc that then enters has a reduced cost of at least −2^50, and shifts no price by more; the suspects that this
 * makes are brought back, the farthest first, before another arc enters. Should shifts ever add up to more than 2^51
 * beyond the range, the search ends with a refusal instead of a rounding error.
 */
export class Tree {
  readonly instance: Instance;
  readonly root: number;
  readonly parent: Int32Array;
  /** Index of the arc to the parent; NONE if the parent is the root. */
  readonly arc: Int32Array;
  /** Units on the arc to the parent; for a class below the root see `fill`. */
  readonly flow: Float64Array;
  readonly price: Float64Array;
  readonly depth: Int32Array;
  /** Of classes: index of the step that is used next, and how many of its units are used. */
  readonly step: Int32Array;
  readonly fill: Float64Array;
  /** Vertices whose price may lie outside of what their own arc to the root allows. */
  readonly suspects: number[] = [];
  readonly #child: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #stack: Int32Array;

  /** No tree yet: no vertex hangs anywhere, classes stand at their first step. */
  constructor(instance: Instance) {
    const { root, firstStep } = instance;
    this.instance = instance;
    this.root = root;
    this.parent = new Int32Array(root + 1).fill(NONE);
    this.arc = new Int32Array(root + 1).fill(NONE);
    this.flow = new Float64Array(root + 1);
    this.price = new Float64Array(root + 1);
    this.depth = new Int32Array(root + 1);
    this.step = Int32Array.from(firstStep);
    this.fill = new Float64Array(root + 1);
    this.#child = new Int32Array(root + 1).fill(NONE);
    this.#next = new Int32Array(root + 1).fill(NONE);
    this.#previous = new Int32Array(root + 1).fill(NONE);
    this.#stack = new Int32Array(root + 1);
  }

  /** The tree of a problem in which every unit is open: all vertices below the root, classes at their first step. */
  static allOpen(instance: Instance): Tree {
    const { root, taskCount, firstStep, demand } = instance;
    const tree = new Tree(instance);
    for (let v = 0; v < root; v++) {
      // A class that lists nothing has no arcs at all.
      if (v < taskCount || firstStep[v] !== firstStep[v + 1])
        tree.attach(v, root, NONE, v < taskCount ? demand[v]! : 0);
    }
    tree.reprice();
    return tree;
  }

  /** Price of a class's next unused units; Infinity if all are used. */
  nextPrice(vertex: number): number {
    const step = this.step[vertex]!;
    return step < this.instance.firstStep[vertex + 1]! ? this.instance.stepPrice[step]! : Infinity;
  }

  /** Price of the last step before the one that is used next; −Infinity if there is none. */
  previousPrice(vertex: number): number {
    const step = this.step[vertex]!;
    return step > this.instance.firstStep[vertex]! ? this.instance.stepPrice[step - 1]! : -Infinity;
  }

  /** Hangs a vertex, with all that is below it, below another one. */
  attach(vertex: number, parent: number, arc: number, flow: number): void {
    const first = this.#child[parent]!;
    this.parent[vertex] = parent;
    this.arc[vertex] = arc;
    this.flow[vertex] = flow;
    this.#previous[vertex] = NONE;
    this.#next[vertex] = first;
    if (first !== NONE) this.#previous[first] = vertex;
    this.#child[parent] = vertex;
  }

  /**
   * Replaces the arc above `leaving` by one between `vertex`, which is below it, and `parent`, which is not: the path
   * from `vertex` to `leaving` is turned round. O(path); prices and depths are left to {@link shift}.
   */
  rehang(vertex: number, leaving: number, parent: number, arc: number, flow: number): void {
    for (let v = vertex, above = parent; ;) {
      const next = this.parent[v]!;
      const nextArc = this.arc[v]!;
      const nextFlow = this.flow[v]!;
      this.#detach(v);
      this.attach(v, above, arc, flow);
      if (v === leaving) return;
      above = v;
      v = next;
      arc = nextArc;
      flow = nextFlow;
    }
  }

  /** Adds to the prices of a vertex and of all below it, sets their depths, and notes who becomes suspect. O(them). */
  shift(vertex: number, by: number): void {
    const { parent, price, depth, suspects, root } = this;
    const { taskCount, maxPrice } = this.instance;
    const stack = this.#stack;
    stack[0] = vertex;
    for (let top = 1; top > 0;) {
      const v = stack[--top]!;
      const moved = price[v]! + by;
      price[v] = moved;
      depth[v] = depth[parent[v]!]! + 1;
      if (moved > EXACT || moved < -EXACT) outOfRange(moved);
      if (v < taskCount) {
        if (moved > maxPrice[v]!) suspects.push(v);
      } else if (parent[v] !== root && (moved > this.nextPrice(v) || moved < this.previousPrice(v))) {
        suspects.push(v);
      }
      for (let child = this.#child[v]!; child !== NONE; child = this.#next[child]!) stack[top++] = child;
    }
  }

  /** Sets all prices and depths again, from the root down, and notes who is suspect. O(vertices). */
  reprice(): void {
    const { parent, arc, price, root } = this;
    const { taskCount, maxPrice, arcCost } = this.instance;
    const stack = this.#stack;
    for (let top = this.#child[root]!; top !== NONE; top = this.#next[top]!) {
      stack[0] = top;
      for (let height = 1; height > 0;) {
        const v = stack[--height]!;
        if (v === top) price[v] = v < taskCount ? maxPrice[v]! : this.nextPrice(v);
        else price[v] = price[parent[v]!]! + (v < taskCount ? arcCost[arc[v]!]! : -arcCost[arc[v]!]!);
        for (let child = this.#child[v]!; child !== NONE; child = this.#next[child]!) stack[height++] = child;
      }
      this.shift(top, 0);
    }
  }

  #detach(vertex: number): void {
    const previous = this.#previous[vertex]!;
    const next = this.#next[vertex]!;
    if (previous === NONE) this.#child[this.parent[vertex]!] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
  }
}

function outOfRange(price: number): never {
  requireThat(false, "SolverFailed", () => `A price of ${price} came up, with which nothing is exact.`);
  throw new Error();
}
