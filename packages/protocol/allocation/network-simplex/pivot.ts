import { NONE, type Tree } from "./tree.ts";

/**
 * Lets an arc enter the tree: units go from `tail` along it to `head`, and on along the tree back to `tail`, as long as
 * each of them saves something.
 *
 * Between a class and the root this goes through as many steps of supply as it takes: each makes the exchange dearer (the
 * class that supplies more) or saves less (the one that supplies less) by the difference of prices. The arc that leaves
 * is the last one of the cycle, followed from its highest vertex on, that lets no more units through. So every arc that leads
 * from a task down to a class carries units, and every class below the root has units left in its step ("strongly
 * feasible", Cunningham 1976): an exchange of no units lowers the prices of the part that is rehung, and there is no cycling.
 *
 * O(length of the cycle + vertices that are rehung or repriced + steps passed).
 *
 * @param tail - A task, a class that draws on supply, or the root, to which a class returns supply.
 * @param head - A class or the root.
 * @param arc - Index of the arc if it is between a task and a class, otherwise NONE.
 */
export function pivot(tree: Tree, tail: number, head: number, arc: number): void {
  const { root, step, fill } = tree;
  const { taskCount, maxPrice, arcCost, firstStep, stepPrice, stepUnits } = tree.instance;
  const cycle = survey(tree, tail, head);
  const { up, down } = cycle;
  const returning = tail === root;
  let slope = reducedCost(tree, tail, head, arc);
  if (returning) {
    step[head]! -= 1;
    fill[head] = stepUnits[step[head]!]!;
  }

  /** The class whose supply ends the exchange; NONE if that is an arc between a task and a class. */
  let ending: number;
  let moved = 0;
  let raised = 0;
  let lowered = 0;
  for (;;) {
    const rest = cycle.limit - moved;
    const above = up === NONE ? Infinity : stepUnits[step[up]!]! - fill[up]!;
    const below = down === NONE ? Infinity : fill[down]!;
    // Equals: what supplies more comes last in the cycle, what supplies less first.
    const units = above <= rest && above <= below ? above : below < rest ? below : rest;
    moved += units;
    if (up !== NONE) fill[up]! += units;
    if (down !== NONE) fill[down]! -= units;
    if (units === above) {
      const at = step[up]!++;
      fill[up] = 0;
      ending = up;
      if (at + 1 === firstStep[up + 1]!) break;
      const dearer = stepPrice[at + 1]! - stepPrice[at]!;
      if (slope + dearer >= 0) break;
      slope += dearer;
      raised += dearer;
    } else if (units === below && below < rest) {
      const at = step[down]!;
      ending = down;
      if (at === firstStep[down]!) break;
      const less = stepPrice[at]! - stepPrice[at - 1]!;
      if (slope + less >= 0) break;
      step[down] = at - 1;
      fill[down] = stepUnits[at - 1]!;
      slope += less;
      lowered += less;
    } else {
      ending = NONE;
      break;
    }
  }

  if (moved > 0) send(tree, tail, head, cycle.apex, moved);
  // A class that stays below the root now stands for another step.
  if (raised > 0 && up !== ending && up !== tail) tree.shift(up, raised);
  if (lowered > 0 && down !== ending && down !== head) tree.shift(down, -lowered);
  // If it is the arc that entered which is used up, the tree stays as it is.
  if (ending !== NONE && (ending === up ? up === tail : down === head)) return;
  const leaving = ending === NONE ? cycle.leaving : ending;
  const fromTail = ending === NONE ? cycle.leavingFromTail : ending === down;
  const [vertex, parent] = fromTail ? [tail, head] : [head, tail];
  tree.rehang(vertex, leaving, parent, arc, moved);
  let price = fromTail ? tree.price[head]! : tree.price[tail]!;
  if (arc !== NONE) price += fromTail ? arcCost[arc]! : -arcCost[arc]!;
  else price = vertex < taskCount ? maxPrice[vertex]! : tree.nextPrice(vertex);
  tree.shift(vertex, price - tree.price[vertex]!);
}

/** What a unit more along an arc outside the tree saves, as a negative number. */
export function reducedCost(tree: Tree, tail: number, head: number, arc: number): number {
  const { instance, price } = tree;
  if (arc !== NONE) return instance.arcCost[arc]! + price[head]! - price[tail]!;
  if (tail === tree.root) return price[head]! - tree.previousPrice(head);
  return (tail < instance.taskCount ? instance.maxPrice[tail]! : tree.nextPrice(tail)) - price[tail]!;
}

/** The cycle that an arc closes with the tree. */
interface Cycle {
  /** Its highest vertex. */
  readonly apex: number;
  /** Classes that supply more and less along it, if any. */
  readonly up: number;
  readonly down: number;
  /** Units that its other arcs let through, which one lets no more through, and whether that is on the tail's side. */
  readonly limit: number;
  readonly leaving: number;
  readonly leavingFromTail: boolean;
}

/** Follows the cycle from both ends up to where they meet. */
function survey({ root, parent, depth, flow, instance }: Tree, tail: number, head: number): Cycle {
  const { taskCount } = instance;
  let down = tail === root ? head : NONE;
  let up = head === root && tail >= taskCount ? tail : NONE;
  let [tailLimit, tailLeaving] = [Infinity, NONE];
  let [headLimit, headLeaving] = [Infinity, NONE];
  let x = tail;
  let y = head;
  while (x !== y) {
    if (depth[x]! > depth[y]!) {
      // Fewer units go up from x.
      if (x < taskCount) {
        if (flow[x]! < tailLimit) [tailLimit, tailLeaving] = [flow[x]!, x];
      } else if (parent[x] === root) down = x;
      x = parent[x]!;
    } else {
      // More units go up from y, or fewer down to it.
      if (y >= taskCount) {
        if (parent[y] === root) up = y;
        else if (flow[y]! <= headLimit) [headLimit, headLeaving] = [flow[y]!, y];
      }
      y = parent[y]!;
    }
  }
  const leavingFromTail = tailLimit < headLimit;
  const leaving = leavingFromTail ? tailLeaving : headLeaving;
  return { apex: x, up, down, limit: Math.min(tailLimit, headLimit), leaving, leavingFromTail };
}

/** Moves units along the cycle's path in the tree: fewer come up from the tail, more from the head. */
function send({ root, parent, flow, instance }: Tree, tail: number, head: number, apex: number, units: number): void {
  const { taskCount } = instance;
  for (let x = tail; x !== apex; x = parent[x]!) {
    if (x < taskCount) flow[x]! -= units;
    else if (parent[x] !== root) flow[x]! += units;
  }
  for (let y = head; y !== apex; y = parent[y]!) {
    if (y < taskCount) flow[y]! += units;
    else if (parent[y] !== root) flow[y]! -= units;
  }
}
