import type { Problem } from "../model.ts";
import type { Instance } from "./instance.ts";
import { NONE, type Tree } from "./tree.ts";

/**
 * Where a solve ended: its tree, with tasks and classes by their ids, so that it means something for another problem.
 * Vertices are numbered as in {@link Instance}.
 */
export interface Basis {
  readonly taskIds: readonly number[];
  readonly classIds: readonly number[];
  /** Parent of each vertex; the root's index for those below it, NONE for what is not in the tree. */
  readonly parent: Int32Array;
  /** Units on the arc to the parent, between a task and a class. */
  readonly flow: Float64Array;
}

/** The basis that a tree is. O(tasks + classes). */
export function basisOf({ tasks, classes }: Problem, { parent, flow }: Tree): Basis {
  return {
    taskIds: tasks.map(({ id }) => id),
    classIds: classes.map(({ id }) => id),
    parent: parent.slice(),
    flow: flow.slice(),
  };
}

/**
 * What is left of a basis in another problem: a forest over its vertices, whose arcs between tasks and classes carry
 * units that fit the problem's demand and supply. What was cut off, or is new, stays open.
 */
export interface Forest {
  /** Parent of each vertex; NONE for the top of a component. */
  readonly parent: Int32Array;
  /** Index of the arc to the parent, and the units on it. */
  readonly arc: Int32Array;
  readonly flow: Float64Array;
  /** Of tasks: units that stay open. */
  readonly open: Float64Array;
  /** Of classes: the step that is used next, and how many of its units are used, fewer than it has. */
  readonly step: Int32Array;
  readonly fill: Float64Array;
}

/**
 * Carries a basis over to another problem. O(tasks × accepted classes + steps).
 *
 * @returns undefined if ids are not unique, so that nobody can say which task is which.
 */
export function carryOver(basis: Basis, problem: Problem, instance: Instance): Forest | undefined {
  const { taskCount, root, arcClass, firstArc, demand } = instance;
  const toOld = vertexMap(basis, problem, root);
  if (!toOld) return undefined;
  const oldRoot = basis.taskIds.length + basis.classIds.length;
  const toNew = new Int32Array(oldRoot + 1).fill(NONE);
  toOld.forEach((old, v) => {
    if (old !== NONE) toNew[old] = v;
  });
  const forest: Forest = {
    parent: new Int32Array(root + 1).fill(NONE),
    arc: new Int32Array(root + 1).fill(NONE),
    flow: new Float64Array(root + 1),
    open: Float64Array.from(demand),
    step: Int32Array.from(instance.firstStep),
    fill: new Float64Array(root + 1),
  };
  const left = supplyOf(instance);
  for (let v = 0; v < root; v++) {
    const old = toOld[v]!;
    const above = old === NONE ? NONE : basis.parent[old]!;
    const parent = above === NONE || above === oldRoot ? NONE : toNew[above]!;
    if (parent === NONE) continue;
    const [task, column] = v < taskCount ? [v, parent] : [parent, v];
    let arc = firstArc[task]!;
    while (arc < firstArc[task + 1]! && arcClass[arc] !== column) arc++;
    if (arc === firstArc[task + 1]!) continue;
    const units = Math.min(basis.flow[old]!, forest.open[task]!, left[column]!);
    // Below a task a class needs units, or else nothing could come back up from it.
    if (units === 0 && v >= taskCount) continue;
    forest.parent[v] = parent;
    forest.arc[v] = arc;
    forest.flow[v] = units;
    forest.open[task]! -= units;
    left[column]! -= units;
  }
  takeSupply(instance, forest);
  return forest;
}

/** The basis' vertex of each of the problem's, by id; NONE for what is new; undefined where an id comes twice. */
function vertexMap({ taskIds, classIds }: Basis, { tasks, classes }: Problem, root: number): Int32Array | undefined {
  const toOld = new Int32Array(root + 1).fill(NONE);
  const map = (ids: readonly number[], offset: number, items: readonly { readonly id: number }[], from: number) => {
    const places = new Map(ids.map((id, i) => [id, offset + i]));
    const seen = new Set(items.map(({ id }) => id));
    items.forEach(({ id }, i) => (toOld[from + i] = places.get(id) ?? NONE));
    return places.size === ids.length && seen.size === items.length;
  };
  const unique = map(taskIds, 0, tasks, 0) && map(classIds, taskIds.length, classes, tasks.length);
  return unique ? toOld : undefined;
}

/** Units that each class lists, by vertex. */
function supplyOf({ taskCount, root, firstStep, stepUnits }: Instance): Float64Array {
  const supply = new Float64Array(root + 1);
  for (let v = taskCount; v < root; v++) {
    for (let step = firstStep[v]!; step < firstStep[v + 1]!; step++) supply[v]! += stepUnits[step]!;
  }
  return supply;
}

/** Takes what flows into each class from its cheapest steps. */
function takeSupply({ taskCount, root, firstStep, stepUnits }: Instance, { parent, flow, step, fill }: Forest): void {
  for (let v = 0; v < root; v++) {
    if (parent[v] !== NONE) fill[v < taskCount ? parent[v]! : v]! += flow[v]!;
  }
  for (let v = taskCount; v < root; v++) {
    while (step[v]! < firstStep[v + 1]! && fill[v]! >= stepUnits[step[v]!]!) fill[v]! -= stepUnits[step[v]!++]!;
  }
}
