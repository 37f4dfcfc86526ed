import type { Reader } from "@verai/client/readers";
import type { Checkpoint } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";

/** Maximum leases to walk back: a range that failed more often has long lost its early checkpoints. */
const MAX_ANCESTORS = 16;

/**
 * The checkpoints that a lease may resume from, best first: its parent's newest and the one before, then those of the
 * parent's parent, and so on.
 *
 * O(ancestors) calls, at most {@link MAX_ANCESTORS}.
 */
export async function restorable(reader: Reader, at: BlockReference, parent: number): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  for (let id = parent, steps = 0; id !== 0 && steps < MAX_ANCESTORS; steps++) {
    found.push(...(await reader.newestCheckpoints(at, id)));
    const [lease] = await reader.leasesById(at, [id]);
    id = lease?.parent ?? 0;
  }
  return found;
}
