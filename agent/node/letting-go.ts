import type { Lease } from "../../chain/entities.ts";
import type { LeaseIndex } from "../../chain/lease-index.ts";
import { FINAL_LEASE_STATUSES } from "../../chain/words.ts";
import type { CheckpointStore } from "../../checkpoints/store.ts";

/** Time for which the result of a paid lease is kept after its delivery, seconds: its developer may come for it late. */
export const RESULT_RETENTION = 30 * 24 * 3600;

/**
 * Pins of what this node made that are of no use to anybody any more, so that a store does not fill up with the years:
 *
 * - checkpoints of leases that are not kept (`keptLeases`)
 * - results of leases that came to nothing, or were paid and delivered {@link RESULT_RETENTION} ago
 *
 * What belongs to a lease that is not known is left alone. Pure; O(pins).
 *
 * @param kept Ids of leases whose checkpoints are of use.
 * @param now Chain time, seconds.
 */
export function outdatedPins<P extends { readonly label: string }>(
  pins: readonly P[],
  leaseOf: (id: number) => Lease | undefined,
  kept: ReadonlySet<number>,
  now: number,
): P[] {
  return pins.filter(({ label }) => {
    const [, kind, id] = /^(checkpoint|result)-(\d+)$/.exec(label) ?? [];
    const lease = leaseOf(Number(id));
    if (!lease || kept.has(lease.id) || !FINAL_LEASE_STATUSES.includes(lease.status)) return false;
    if (kind === "checkpoint" || lease.status !== "paid") return true;
    return now >= (lease.result?.deliveredAt ?? 0) + RESULT_RETENTION;
  });
}

/** Lets go of what is of no use any more. O(pins). */
export async function letGo(
  store: Pick<CheckpointStore, "list" | "unpin" | "collectGarbage">,
  index: Pick<LeaseIndex, "get">,
  kept: readonly Lease[],
  now: number,
): Promise<void> {
  const pins = store.list().flatMap(({ cid, labels }) => labels.map((label) => ({ cid, label })));
  const outdated = outdatedPins(pins, (id) => index.get(id), new Set(kept.map(({ id }) => id)), now);
  for (const { cid, label } of outdated) await store.unpin(cid, label);
  if (outdated.length > 0) await store.collectGarbage();
}
