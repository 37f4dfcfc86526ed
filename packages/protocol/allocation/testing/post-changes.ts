import type { Round } from "../model.ts";
import type { Post } from "../post.ts";
import { nodeOrder } from "../../vrf/draws.ts";

/**
 * Every post that differs from this one by one unit (one more, one less, one moved, two exchanged between tasks), one tick
 * or the smallest step of a price, one node (left out, added, put in another's place) or one swap of two nodes. Nodes that
 * are put in stand where the order by hash wants them. O(cells² + nodes²) posts.
 *
 * @param nodesFor The nodes that changed flows ask for; undefined where a class has not so many units. Changed flows come
 * with the old nodes and with these.
 */
export function* everyChange(
  round: Round,
  post: Post,
  nodesFor: (flows: Post["flows"]) => Post["nodes"] | undefined,
): Generator<Post & { readonly change: string }> {
  for (const { change, flows } of changedFlows(round, post.flows)) {
    yield { ...post, flows, change };
    const nodes = nodesFor(flows);
    if (nodes) yield { ...post, flows, nodes, change: `${change}, with its nodes` };
  }
  const everybody = [...round.classes.flatMap(({ nodes }) => nodes.map(({ id }) => id)), 2 ** 32 - 1];
  const orders = new Map(everybody.map((id) => [id, nodeOrder(round.seed, id)]));
  for (const [k, listed] of round.classes.entries()) {
    const price = post.clearing[k] ?? 0n;
    for (const step of [1n, -1n, BigInt(listed.tickSize) * 1024n, BigInt(listed.tickSize) * -1024n]) {
      if (price + step >= 0n && price + step < 1n << 64n) {
        yield {
          ...post,
          clearing: post.clearing.with(k, price + step),
          change: `price of class ${listed.id} by ${step}`,
        };
      }
    }
    for (const { change, ids } of changedNodes(orders, post.nodes[k] ?? [], everybody)) {
      yield { ...post, nodes: post.nodes.with(k, ids), change: `class ${listed.id}: ${change}` };
    }
  }
}

function* changedFlows(round: Round, flows: Post["flows"]): Generator<{ change: string; flows: Post["flows"] }> {
  const cells = flows.flatMap((row, t) => row.map((units, c) => ({ t, c, units })));
  const moved = (...steps: readonly (readonly [t: number, c: number, by: number])[]): Post["flows"] =>
    steps.reduce((old, [t, c, by]) => old.with(t, (old[t] ?? []).with(c, (old[t]?.[c] ?? 0) + by)), [...flows]);
  for (const a of cells) {
    yield { change: `a unit more in ${a.t}/${a.c}`, flows: moved([a.t, a.c, 1]) };
    if (a.units === 0) continue;
    yield { change: `a unit less in ${a.t}/${a.c}`, flows: moved([a.t, a.c, -1]) };
    for (const b of cells) {
      if (a === b) continue;
      yield { change: `a unit from ${a.t}/${a.c} to ${b.t}/${b.c}`, flows: moved([a.t, a.c, -1], [b.t, b.c, 1]) };
      // Two tasks exchange a unit of their classes, so that the classes grant as much as before.
      if (b.units === 0 || b.t <= a.t) continue;
      const classOf = ({ t, c }: { t: number; c: number }) => round.tasks[t]?.classes[c]?.classId;
      const c = round.tasks[a.t]?.classes.findIndex(({ classId }) => classId === classOf(b)) ?? -1;
      const d = round.tasks[b.t]?.classes.findIndex(({ classId }) => classId === classOf(a)) ?? -1;
      if (c < 0 || d < 0 || c === a.c) continue;
      const exchanged = moved([a.t, a.c, -1], [a.t, c, 1], [b.t, b.c, -1], [b.t, d, 1]);
      yield { change: `tasks ${a.t} and ${b.t} exchange a unit`, flows: exchanged };
    }
  }
}

function* changedNodes(
  orders: ReadonlyMap<number, bigint>,
  ids: readonly number[],
  everybody: readonly number[],
): Generator<{ change: string; ids: number[] }> {
  const placed = (list: readonly number[], id: number): number[] => {
    const at = list.findIndex((each) => (orders.get(each) ?? 0n) >= (orders.get(id) ?? 0n));
    return list.toSpliced(at < 0 ? list.length : at, 0, id);
  };
  for (const id of everybody) yield { change: `${id} added`, ids: placed(ids, id) };
  for (const [i, old] of ids.entries()) {
    const fewer = ids.toSpliced(i, 1);
    yield { change: `${old} left out`, ids: fewer };
    for (const id of everybody) if (id !== old) yield { change: `${id} for ${old}`, ids: placed(fewer, id) };
    for (const [j, other] of ids.entries()) {
      if (j > i) yield { change: `${old} and ${other} swapped`, ids: ids.with(i, other).with(j, old) };
    }
  }
}
