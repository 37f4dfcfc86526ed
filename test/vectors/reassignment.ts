import { type DrawRule, list, type ListedNode, type Orphan } from "@verai/protocol/vrf/reassignment";
import { TICK_SIZES } from "./rounds.ts";

/**
 * A batch of reassignments and what comes of it. Node i + 1 of `failed` has lease i + 1, all units of task i + 1, in class 0
 * at tick 0; the others follow. All tasks have the same terms. The failed nodes are one owner's.
 */
export interface BatchVector {
  readonly name: string;
  /** The oracle's word and the seed that it becomes. */
  readonly word: number;
  readonly seed: string;
  readonly rule: DrawRule;
  /** Units of the failed nodes. */
  readonly failed: readonly number[];
  readonly nodes: readonly {
    readonly classId: number;
    readonly capacity: number;
    readonly tick: number;
    readonly load: number;
    readonly latency: number;
    /** Whether it is of the failed nodes' owner. */
    readonly kin: boolean;
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
  const nodes = vector.nodes.map(({ classId, capacity, tick, load, latency, kin }, i) => ({
    id: vector.failed.length + i + 1,
    owner: kin ? "kin" : "others",
    classId,
    capacity,
    free: capacity,
    price: tick * (TICK_SIZES[classId] ?? 0),
    load,
    latency,
    reportedAt: 1,
    arrived: 0,
  })) satisfies (ListedNode & { classId: number })[];
  const classes = vector.classIds.map((classId, k) =>
    list(
      classId,
      vector.surcharges[k] ?? 0,
      nodes.filter((node) => node.classId === classId),
    ),
  );
  return vector.failed.map((count, i) => ({
    leaseId: i + 1,
    price: 0,
    owner: "kin",
    start: 0,
    count,
    maxPrice: vector.maxPrice,
    classes,
  }));
}
