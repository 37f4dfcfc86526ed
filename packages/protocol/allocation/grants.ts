import { fillStart, nodeOrder } from "../vrf/draws.ts";
import { classLabel, type ListedNode, type Round, type RoundClass } from "./model.ts";
import { requireThat } from "./refusal.ts";
import { DITHER, TICKS } from "../money/units.ts";

/** Units of one node that a round grants. */
export interface Grant {
  readonly nodeId: number;
  readonly units: number;
  /** What the node asks and is paid for a unit, micro-VER. */
  readonly price: number;
}

/** Units of a task that a node gets. On chain a row becomes several leases where the task's open units have gaps. */
export interface Row {
  readonly taskId: number;
  readonly nodeId: number;
  readonly classId: number;
  readonly units: number;
  /** What the node asks and is paid for a unit, micro-VER. */
  readonly price: number;
}

/** Where a clearing price cuts a class, as `Listings.sol` sees it. */
export interface Margin {
  /** First tick that is not wholly granted; 4096: all are. */
  readonly tick: number;
  /** Units granted at the tick itself. */
  readonly units: number;
}

/**
 * Where a clearing price cuts a class from which this many units are granted. O(nodes).
 *
 * @throws Refusal `ClearingPriceMismatch` if the price asks for more, or allows only fewer, units.
 */
export function marginOf(listed: RoundClass, clearing: bigint, units: number): Margin {
  const tickPrice = BigInt(listed.tickSize * DITHER);
  const ceiling = (clearing + tickPrice - 1n) / tickPrice;
  const onTick = clearing % tickPrice === 0n && ceiling < BigInt(TICKS);
  const tick = ceiling < BigInt(TICKS) ? Number(ceiling) : TICKS;
  const sum = (nodes: readonly ListedNode[]): number => nodes.reduce((total, node) => total + node.units, 0);
  const below = sum(listed.nodes.filter((node) => node.tick < tick));
  const upTo = below + (onTick ? sum(listed.nodes.filter((node) => node.tick === tick)) : 0);
  requireThat(
    below <= units && units <= upTo,
    "ClearingPriceMismatch",
    () =>
      `At this clearing price at least ${below} and at most ${upTo} units of ${classLabel(listed)} must be granted, not ${units}.`,
  );
  return { tick, units: units - below };
}

/**
 * What each node at the marginal tick is granted: the tick's array is filled from where the seed says, as a ring, each
 * node wholly but the last. O(nodes).
 */
export function marginalShares(seed: string, listed: RoundClass, margin: Margin): Map<number, number> {
  const shares = new Map<number, number>();
  const ring: ListedNode[] = [];
  for (const node of listed.nodes) if (node.tick === margin.tick) ring[node.position] = node;
  let left = margin.units;
  const start = left === 0 ? 0 : fillStart(seed, listed.id, ring.length);
  for (const node of [...ring.slice(start), ...ring.slice(0, start)]) {
    if (left === 0) break;
    const share = Math.min(node.units, left);
    shares.set(node.id, share);
    left -= share;
  }
  return shares;
}

/**
 * The nodes of a class that a round grants: all below the margin wholly, at the margin what the seed chooses; in the
 * order in which they are laid along the tasks. O(nodes + granted × log(granted)).
 *
 * @throws Refusal `ClearingPriceMismatch`.
 */
export function grantClass(seed: string, listed: RoundClass, clearing: bigint, units: number): Grant[] {
  const margin = marginOf(listed, clearing, units);
  const shares = marginalShares(seed, listed, margin);
  const granted: { grant: Grant; order: bigint }[] = [];
  for (const node of listed.nodes) {
    const share = node.tick < margin.tick ? node.units : shares.get(node.id);
    if (share === undefined) continue;
    const grant = { nodeId: node.id, units: share, price: node.tick * listed.tickSize };
    granted.push({ grant, order: nodeOrder(seed, node.id) });
  }
  return granted.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ grant }) => grant);
}

/**
 * Lays the granted nodes of each class along the tasks, as `Layout.sol` does: tasks in the round's order, each task's
 * classes ascending, and a pointer per class that goes along its nodes. O(rows).
 *
 * @param flows - Units of each task in each of its classes.
 * @param grants - Granted nodes of each class in the order of the round's classes; they hold the units that flow.
 */
export function layRows(
  round: Round,
  flows: readonly (readonly number[])[],
  grants: readonly (readonly Grant[])[],
): Row[] {
  const columns = new Map(round.classes.map(({ id }, k) => [id, { grants: grants[k] ?? [], next: 0, used: 0 }]));
  const rows: Row[] = [];
  round.tasks.forEach(({ id: taskId, classes }, t) => {
    classes.forEach(({ classId }, c) => {
      const column = columns.get(classId);
      for (let left = flows[t]?.[c] ?? 0; left > 0;) {
        const grant = column?.grants[column.next];
        requireThat(
          column !== undefined && grant !== undefined,
          "ClassUnitsMismatch",
          () => `The granted nodes of class ${classId} have fewer units than its tasks take.`,
        );
        const units = Math.min(left, grant.units - column.used);
        rows.push({ taskId, nodeId: grant.nodeId, classId, units, price: grant.price });
        left -= units;
        column.used += units;
        if (column.used === grant.units) [column.next, column.used] = [column.next + 1, 0];
      }
    });
  });
  return rows;
}
