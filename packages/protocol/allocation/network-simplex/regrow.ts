import type { Forest } from "./basis.ts";
import type { Instance } from "./instance.ts";
import { NONE, Tree } from "./tree.ts";

/**
 * Grows a forest into a strongly feasible tree from which the search can go on.
 *
 * A task with open units needs its arc to the root, and so does a class whose step is partly used. Where a component has
 * two of them, units move from one to the other, in the direction that saves something, until a place on the way is used
 * up: the component is cut there, or one of the two needs the root no more. A component with none gets the arc of its top.
 *
 * O(vertices + changes × length of the path between two vertices that need the root).
 */
export function regrow(instance: Instance, forest: Forest): Tree {
  return new Gardener(instance, forest).grow();
}

class Gardener {
  readonly #instance: Instance;
  readonly #forest: Forest;
  /** Steps from the top of the component when it was carried over; greater along every path down. */
  readonly #depth: Int32Array;
  /** By the top of a component: its vertex that needs the root. */
  readonly #anchor: Int32Array;

  constructor(instance: Instance, forest: Forest) {
    this.#instance = instance;
    this.#forest = forest;
    this.#depth = depths(forest.parent);
    this.#anchor = new Int32Array(instance.root + 1).fill(NONE);
  }

  grow(): Tree {
    const { root, taskCount, firstStep } = this.#instance;
    for (let v = 0; v < root; v++) {
      if (!this.#needsRoot(v)) continue;
      const top = this.#topOf(v);
      const other = this.#anchor[top]!;
      if (other === NONE) this.#anchor[top] = v;
      else this.#part(top, other, v);
    }
    const tree = new Tree(this.#instance);
    tree.step.set(this.#forest.step);
    tree.fill.set(this.#forest.fill);
    const hung = this.#hang();
    for (let v = 0; v < root; v++) {
      const parent = hung[v] ? root : this.#forest.parent[v]!;
      // A class that lists nothing has no arcs at all.
      if (parent === NONE && v >= taskCount && firstStep[v] === firstStep[v + 1]) continue;
      const open = v < taskCount ? this.#forest.open[v]! : 0;
      tree.attach(v, parent, hung[v] ? NONE : this.#forest.arc[v]!, hung[v] ? open : this.#forest.flow[v]!);
    }
    tree.reprice();
    return tree;
  }

  #needsRoot(vertex: number): boolean {
    const { open, fill } = this.#forest;
    return vertex < this.#instance.taskCount ? open[vertex]! > 0 : fill[vertex]! > 0;
  }

  #topOf(vertex: number): number {
    const { parent } = this.#forest;
    let v = vertex;
    while (parent[v] !== NONE) v = parent[v]!;
    return v;
  }

  /** Moves units between two vertices of a component that need the root, until they part or one needs it no more. */
  #part(top: number, a: number, b: number): void {
    const path = this.#path(a, b);
    const [from, to, way] = this.#slope(path) <= 0 ? [a, b, path] : [b, a, path.toReversed()];
    this.#move(from, to, way);
    const { parent, flow } = this.#forest;
    const both = this.#needsRoot(from) && this.#needsRoot(to);
    let cuts = 0;
    const cut = (child: number): void => {
      parent[child] = NONE;
      cuts += 1;
    };
    const arcs = way.slice(1).map((v, i) => (parent[v] === way[i] ? v : way[i]!));
    for (const child of arcs) if (flow[child] === 0 && child >= this.#instance.taskCount) cut(child);
    if (both && cuts === 0) cut(arcs.find((child) => flow[child] === 0)!);
    this.#anchor[top] = NONE;
    for (const v of [from, to]) if (this.#needsRoot(v)) this.#anchor[this.#topOf(v)] = v;
  }

  /** The vertices between two of one component, both included. */
  #path(a: number, b: number): number[] {
    const { parent } = this.#forest;
    const [start, end]: [number[], number[]] = [[], []];
    let [x, y] = [a, b];
    while (x !== y) {
      if (this.#depth[x]! >= this.#depth[y]!) {
        start.push(x);
        x = parent[x]!;
      } else {
        end.push(y);
        y = parent[y]!;
      }
    }
    return [...start, x, ...end.reverse()];
  }

  /** What a unit costs that comes from the root less at the path's start, and goes to it more at its end. */
  #slope(path: readonly number[]): number {
    const { taskCount, maxPrice, stepPrice, arcCost } = this.#instance;
    const { parent, arc, step } = this.#forest;
    const atRoot = (v: number): number => (v < taskCount ? maxPrice[v]! : stepPrice[step[v]!]!);
    let slope = atRoot(path.at(-1)!) - atRoot(path[0]!);
    for (let i = 1; i < path.length; i++) {
      const [x, y] = [path[i - 1]!, path[i]!];
      const cost = arcCost[arc[parent[x] === y ? x : y]!]!;
      slope += x < taskCount ? cost : -cost;
    }
    return slope;
  }

  /** Moves as many units along a path as one of its places lets through: fewer at its start, more at its end. */
  #move(from: number, to: number, path: readonly number[]): void {
    const { taskCount, stepUnits } = this.#instance;
    const { parent, flow, open, step, fill } = this.#forest;
    let units = from < taskCount ? open[from]! : fill[from]!;
    if (to >= taskCount) units = Math.min(units, stepUnits[step[to]!]! - fill[to]!);
    const along = (visit: (child: number, more: boolean) => void): void => {
      for (let i = 1; i < path.length; i++) {
        const [x, y] = [path[i - 1]!, path[i]!];
        visit(parent[x] === y ? x : y, x < taskCount);
      }
    };
    along((child, more) => {
      if (!more) units = Math.min(units, flow[child]!);
    });
    along((child, more) => {
      flow[child]! += more ? units : -units;
    });
    if (from < taskCount) open[from]! -= units;
    else fill[from]! -= units;
    if (to < taskCount) open[to]! += units;
    else {
      fill[to]! += units;
      if (fill[to] === stepUnits[step[to]!]) [step[to], fill[to]] = [step[to]! + 1, 0];
    }
  }

  /** Turns each component so that the vertex that hangs from the root is its top. @returns Which vertices do. */
  #hang(): Uint8Array {
    const { taskCount, root, firstStep } = this.#instance;
    const { parent, arc, flow, step } = this.#forest;
    const hung = new Uint8Array(root + 1);
    const supplied = new Int32Array(root + 1).fill(NONE);
    const tops: number[] = [];
    for (let v = 0; v < root; v++) {
      if (parent[v] === NONE) tops.push(v);
      else if (v < taskCount && flow[v]! > 0) supplied[parent[v]!] = v;
    }
    for (let top = tops.pop(); top !== undefined; top = tops.pop()) {
      const soldOut = top >= taskCount && step[top] === firstStep[top + 1];
      // A class that is sold out has no arc to the root to hang from, but a task that it serves has.
      const anchor = this.#anchor[top] !== NONE ? this.#anchor[top]! : soldOut ? supplied[top]! : top;
      // A class that lists nothing stays outside of the tree.
      if (anchor === NONE) continue;
      hung[anchor] = 1;
      let [v, above, newArc, newFlow] = [anchor, NONE, NONE, 0];
      for (;;) {
        const next = parent[v]!;
        const [nextArc, nextFlow] = [arc[v]!, flow[v]!];
        [parent[v], arc[v], flow[v]] = [above, newArc, newFlow];
        if (next === NONE) break;
        if (nextFlow === 0) {
          // The class above would hang from a task without units: it stays behind, with all that is around it.
          this.#anchor[top] = NONE;
          tops.push(top);
          break;
        }
        [above, v, newArc, newFlow] = [v, next, nextArc, nextFlow];
      }
    }
    return hung;
  }
}

/** How far below its top each vertex of a forest is. O(vertices). */
function depths(parent: Int32Array): Int32Array {
  const depth = new Int32Array(parent.length).fill(NONE);
  const path: number[] = [];
  for (let v = 0; v < parent.length; v++) {
    let x = v;
    for (; x !== NONE && depth[x] === NONE; x = parent[x]!) path.push(x);
    let known = x === NONE ? -1 : depth[x]!;
    for (let y = path.pop(); y !== undefined; y = path.pop()) depth[y] = ++known;
  }
  return depth;
}
