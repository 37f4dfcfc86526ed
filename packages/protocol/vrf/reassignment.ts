import { reassign } from "./draws.ts";

/*
 * The draw of nodes for the ranges of failed leases; the same as contracts/failover/Reassignment.sol and NodePool.sol, so that
 * anybody can check a batch from public state. docs/concepts/protocol.md proves the probabilities.
 */

/** Most tries to find nodes for a range. */
const TRIES = 64;

const BASIS = 10_000n;

/** A node as it was when the listings were frozen. */
export interface PooledNode {
  readonly id: number;
  /** Capacity with which it stands in the pool, units. */
  readonly capacity: number;
  /** Free units listed. */
  readonly free: number;
  /** Ask for a unit, micro-VER. */
  readonly price: number;
  /** Share of the machine in use, basis points. */
  readonly load: number;
  /** Milliseconds. */
  readonly latency: number;
}

/** A class's nodes by bucket, each bucket in the order of the contract's array. */
export interface PooledClass {
  readonly classId: number;
  readonly surcharge: number;
  /** By bucket: 1 + floor(log2(capacity)). */
  readonly buckets: ReadonlyMap<number, readonly PooledNode[]>;
}

/** A range that is drawn for. */
export interface Orphan {
  /** The lease that expired, and its node, which does not get the range back. */
  readonly leaseId: number;
  readonly nodeId: number;
  readonly start: number;
  readonly count: number;
  /** The most that the task pays for a unit, surcharge included, micro-VER. */
  readonly maxPrice: number;
  /** Classes that the task accepts, ascending. */
  readonly classes: readonly PooledClass[];
}

/** Units of an orphan that go to a node. */
export interface Drawn {
  readonly leaseId: number;
  readonly nodeId: number;
  readonly start: number;
  readonly count: number;
}

/** Bucket of a capacity: it is 2^(bucket-1) to 2^bucket - 1 units. */
export function bucketOf(capacity: number): number {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity >= 2 ** 24) {
    throw new RangeError(`${capacity} is no capacity: capacities are whole numbers from 1 to 2^24 - 1.`);
  }
  return 32 - Math.clz32(capacity);
}

/** Sorts nodes of a class into buckets, each in the order given. O(n). */
export function pool(classId: number, surcharge: number, nodes: readonly PooledNode[]): PooledClass {
  const buckets = new Map<number, PooledNode[]>();
  for (const node of nodes) {
    const bucket = bucketOf(node.capacity);
    const array = buckets.get(bucket);
    if (array) array.push(node);
    else buckets.set(bucket, [node]);
  }
  return { classId, surcharge, buckets };
}

/**
 * Draws for the orphans of a batch in their order. Pure.
 *
 * @param seed - 32 bytes, hexadecimal.
 * @param latencyFloor - L0 of the batch, ms.
 * @returns What goes to whom; the units that are missing found no node.
 */
export function drawBatch(seed: string, orphans: readonly Orphan[], latencyFloor: number): Drawn[] {
  const taken = new Map<number, number>();
  const drawn: Drawn[] = [];
  for (const orphan of orphans) {
    let { start, count } = orphan;
    const slots = orphan.classes.reduce((sum, each) => sum + slotsOf(each), 0n);
    for (let attempt = 0; attempt < TRIES && count > 0 && slots > 0n; attempt++) {
      const { high, low } = reassign(seed, orphan.leaseId, attempt);
      const node = candidate(orphan, high % slots, taken);
      if (!node || !accepts(node, low, BigInt(latencyFloor))) continue;
      const units = Math.min(node.free - (taken.get(node.id) ?? 0), count);
      drawn.push({ leaseId: orphan.leaseId, nodeId: node.id, start, count: units });
      taken.set(node.id, (taken.get(node.id) ?? 0) + units);
      start += units;
      count -= units;
    }
  }
  return drawn;
}

/** The owner of slot `at`, if the slot is one of a free unit and the node may have the range. */
function candidate(orphan: Orphan, at: bigint, taken: ReadonlyMap<number, number>): PooledNode | undefined {
  for (const { buckets, surcharge } of orphan.classes) {
    for (const [bucket, nodes] of [...buckets].sort(([a], [b]) => a - b)) {
      const slots = BigInt(nodes.length) << BigInt(bucket);
      if (at >= slots) {
        at -= slots;
        continue;
      }
      const node = nodes[Number(at >> BigInt(bucket))];
      const slot = Number(at & ((1n << BigInt(bucket)) - 1n));
      if (!node || node.id === orphan.nodeId || node.price + surcharge > orphan.maxPrice) return undefined;
      return slot < node.free - (taken.get(node.id) ?? 0) ? node : undefined;
    }
  }
  return undefined;
}

/** With probability (1 - load) × L0 / (latency + L0). */
function accepts({ load, latency }: PooledNode, low: bigint, latencyFloor: bigint): boolean {
  return low % (BASIS * (BigInt(latency) + latencyFloor)) < (BASIS - BigInt(load)) * latencyFloor;
}

function slotsOf({ buckets }: PooledClass): bigint {
  let slots = 0n;
  for (const [bucket, nodes] of buckets) slots += BigInt(nodes.length) << BigInt(bucket);
  return slots;
}
