import type { Checkpoint } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import type { Holder, Reader } from "@verai/client/readers";

/** Maximum leases to walk back: a range that failed more often has long lost its early checkpoints. */
const MAX_ANCESTORS = 16;

/** A checkpoint that a lease may resume from, and those who have it by what the chain says. */
export interface Restorable {
  readonly checkpoint: Checkpoint;
  /** The lease that made it. */
  readonly leaseId: number;
  /** Its node, and those who may have signed for it or were to copy it. */
  readonly named: readonly Pick<Holder, "nodeId" | "endpoint">[];
  /** The node that made it, where the chain itself has found that it failed: it is not waited for. */
  readonly failed: number | undefined;
}

/**
 * The checkpoints that a lease may resume from, best first: its parent's newest and the one before, then those of the
 * parent's parent, and so on.
 *
 * O(ancestors) calls, at most {@link MAX_ANCESTORS}.
 *
 * @param holdersOf Those who may vouch for a lease's checkpoints, by rank.
 */
export async function restorable(
  reader: Reader,
  at: BlockReference,
  parent: number,
  holdersOf: (leaseId: number) => Promise<readonly Holder[]>,
): Promise<Restorable[]> {
  const found: Restorable[] = [];
  for (let id = parent, steps = 0; id !== 0 && steps < MAX_ANCESTORS; steps++) {
    const [newest, [lease]] = await Promise.all([reader.newestCheckpoints(at, id), reader.leasesThatExist(at, [id])]);
    if (lease && newest.length > 0) {
      const [producer, holders] = await Promise.all([reader.node(at, lease.nodeId), holdersOf(id)]);
      const own =
        producer && producer.status !== "withdrawn" ? [{ nodeId: producer.id, endpoint: producer.endpoint }] : [];
      const failed = lease.status === "expired" ? lease.nodeId : undefined;
      // One that the chain found failed is asked last.
      const named = failed === undefined ? [...own, ...holders] : [...holders, ...own];
      found.push(...newest.map((checkpoint) => ({ checkpoint, leaseId: id, named, failed })));
    }
    id = lease?.parent ?? 0;
  }
  return found;
}
