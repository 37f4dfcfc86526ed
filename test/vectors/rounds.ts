import type { Row } from "@verai/protocol/allocation/grants";
import type { Round } from "@verai/protocol/allocation/model";

/** Tick sizes of the classes 0 … 3 of the vectors, micro-VER; the Solidity fixture has the same. */
export const TICK_SIZES: readonly number[] = [1_000, 1_000, 1_500, 7];

/** A lease of fresh units. */
export interface LeaseVector {
  readonly taskId: number;
  readonly nodeId: number;
  readonly start: number;
  readonly count: number;
  /** Micro-VER a unit. */
  readonly price: number;
}

/** A round on a fresh deployment. Nodes and tasks have the ids 1, 2, … in this order. */
export interface RoundVector {
  readonly name: string;
  readonly nodes: readonly { readonly classId: number; readonly capacity: number; readonly tick: number }[];
  readonly tasks: readonly {
    readonly units: number;
    /** Micro-VER. */
    readonly maxPrice: number;
    /** Ascending. */
    readonly classIds: readonly number[];
    /** Micro-VER, one a class; empty: all zero. */
    readonly surcharges: readonly number[];
  }[];
  /** What the oracle answers, and the seed that follows from it. */
  readonly word: number;
  readonly seed: string;
  readonly post: string;
  readonly leases: readonly LeaseVector[];
}

/** The round as a keeper reads it from the chain. */
export function roundOf({ nodes, tasks, seed }: RoundVector): Round {
  const classIds = [...new Set(tasks.flatMap((task) => task.classIds))].sort((a, b) => a - b);
  const listed = nodes.map(({ classId, capacity, tick }, i) => {
    const position = nodes.slice(0, i).filter((other) => other.classId === classId && other.tick === tick).length;
    return { classId, node: { id: i + 1, tick, units: capacity, position } };
  });
  return {
    roundId: 1,
    seed,
    tasks: tasks.map((task, i) => ({
      id: i + 1,
      units: task.units,
      maxPrice: task.maxPrice,
      classes: task.classIds.map((classId, c) => ({ classId, surcharge: task.surcharges[c] ?? 0 })),
    })),
    classes: classIds.map((id) => ({
      id,
      tickSize: TICK_SIZES[id] ?? 0,
      nodes: listed.filter(({ classId }) => classId === id).map(({ node }) => node),
    })),
  };
}

/** The leases that come of a round's rows, where all units are fresh: they are handed out in ascending order. */
export function leasesOf(rows: readonly Row[]): LeaseVector[] {
  const next = new Map<number, number>();
  return rows.map(({ taskId, nodeId, units, price }) => {
    const start = next.get(taskId) ?? 0;
    next.set(taskId, start + units);
    return { taskId, nodeId, start, count: units, price };
  });
}
