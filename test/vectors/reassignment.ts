import { type Orphan, pool, type PooledClass, type PooledNode } from "@verai/protocol/vrf/reassignment";
import { TICK_SIZES } from "./rounds.ts";

/**
 * A batch of reassignments and what comes of it. Node i + 1 of `failed` has lease i + 1, all units of task i + 1, in class 0
 * at tick 0; the others follow. All tasks have the same terms.
 */
export interface BatchVector {
  readonly name: string;
  /** The oracle's word and the seed that it becomes. */
  readonly word: number;
  readonly seed: string;
  readonly latencyFloor: number;
  /** Units of the failed nodes. */
  readonly failed: readonly number[];
  readonly nodes: readonly {
    readonly classId: number;
    readonly capacity: number;
    readonly tick: number;
    readonly load: number;
    readonly latency: number;
  }[];
  /** Micro-VER. */
  readonly maxPrice: number;
  readonly classIds: readonly number[];
  readonly surcharges: readonly number[];
  readonly drawn: readonly {
    readonly leaseId: number;
    readonly nodeId: number;
    readonly start: number;
    readonly count: number;
  }[];
}

/** The batch's orphans with the market that they meet. */
export function orphansOf(vector: Omit<BatchVector, "drawn">): Orphan[] {
  // They fail just before the batch: still pooled, with nothing free.
  const lost: (PooledNode & { classId: number })[] = vector.failed.map((capacity, i) => ({
    id: i + 1,
    classId: 0,
    capacity,
    free: 0,
    price: 0,
    load: 0,
    latency: 0,
  }));
  const others = vector.nodes.map(({ classId, capacity, tick, load, latency }, i) => ({
    id: vector.failed.length + i + 1,
    classId,
    capacity,
    free: capacity,
    price: tick * (TICK_SIZES[classId] ?? 0),
    load,
    latency,
  }));
  const all = [...lost, ...others];
  const classes: PooledClass[] = vector.classIds.map((classId, k) =>
    pool(
      classId,
      vector.surcharges[k] ?? 0,
      all.filter((node) => node.classId === classId),
    ),
  );
  return vector.failed.map((count, i) => ({
    leaseId: i + 1,
    nodeId: i + 1,
    start: 0,
    count,
    maxPrice: vector.maxPrice,
    classes,
  }));
}
