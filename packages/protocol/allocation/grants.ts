/* Indices run over columns of one length: every "!" in this file is an element that exists. */
import { fillStart, nodeOrder } from "../vrf/draws.ts";
import { classLabel, nodeColumns, type Round, type RoundClass } from "./model.ts";
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
  /** The nodes that stand at the tick: indices into the class's list. */
  readonly nodes: readonly number[];
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
  const { ticks, units: each } = nodeColumns(listed);
  let [below, at] = [0, 0];
  const nodes: number[] = [];
  for (let i = 0; i < ticks.length; i++) {
    if (ticks[i]! < tick) below += each[i]!;
    else if (ticks[i] === tick) {
      at += each[i]!;
      nodes.push(i);
    }
  }
  const upTo = below + (onTick ? at : 0);
  requireThat(
    below <= units && units <= upTo,
    "ClearingPriceMismatch",
    () =>
      `At this clearing price at least ${below} and at most ${upTo} units of ${classLabel(listed)} must be granted, not ${units}.`,
  );
  return { tick, units: units - below, nodes };
}

/**
 * What each node at the marginal tick is granted: the tick's array is filled from where the seed says, as a ring, each
 * node wholly but the last. O(nodes at the tick).
 */
export function marginalShares(seed: string, listed: RoundClass, margin: Margin): Map<number, number> {
  const shares = new Map<number, number>();
  let left = margin.units;
  if (left === 0) return shares;
  const { ids, units, positions } = nodeColumns(listed);
  const ring: number[] = [];
  for (const i of margin.nodes) ring[positions[i]!] = i;
  const start = fillStart(seed, listed.id, ring.length);
  for (const i of [...ring.slice(start), ...ring.slice(0, start)]) {
    if (left === 0) break;
    const share = Math.min(units[i]!, left);
    shares.set(ids[i]!, share);
    left -= share;
  }
  return shares;
}

/**
 * The nodes of a class that a round grants: all below the margin wholly, at the margin what the seed chooses; in the
 * order in which they are laid along the tasks. O(nodes + granted × log(granted)).
 *
 * @param orderOf - {@link nodeOrder} for this seed, if its draws are kept.
 * @throws Refusal `ClearingPriceMismatch`.
 */
export function grantClass(
  seed: string,
  listed: RoundClass,
  clearing: bigint,
  units: number,
  orderOf: (nodeId: number) => bigint = (nodeId) => nodeOrder(seed, nodeId),
): Grant[] {
  const margin = marginOf(listed, clearing, units);
  const shares = marginalShares(seed, listed, margin);
  const granted: { grant: Grant; order: bigint }[] = [];
  const { ids, ticks, units: each } = nodeColumns(listed);
  for (let i = 0; i < ids.length; i++) {
    const tick = ticks[i]!;
    if (tick > margin.tick) continue;
    const nodeId = ids[i]!;
    const share = tick < margin.tick ? each[i]! : shares.get(nodeId);
    if (share === undefined) continue;
    granted.push({ grant: { nodeId, units: share, price: tick * listed.tickSize }, order: orderOf(nodeId) });
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
