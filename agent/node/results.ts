import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";

/** Share of the store's bound that may be full before results that were paid for long ago go: work needs the rest. */
const SHARE = 0.75;

/** A pinned result of a lease: this node's own, or the copy of another's. */
export interface ResultPin {
  readonly leaseId: number;
  readonly label: string;
  readonly cid: string;
  /** Bytes. */
  readonly size: number;
}

/** Label of the pins of a lease's own result. */
export function resultLabel(leaseId: number): string {
  return `result-${String(leaseId)}`;
}

/**
 * Which results can go, so that the store does not fill up with them: the oldest, as few as will do. Pure; O(n log n).
 *
 * @param kept Leases whose results are of use still; they stay in any case.
 * @param used Bytes in the store.
 * @param most Bytes that it may have.
 */
export function resultsToLetGo(
  results: readonly ResultPin[],
  kept: ReadonlySet<number>,
  used: number,
  most: number,
): ResultPin[] {
  const gone: ResultPin[] = [];
  let left = used;
  for (const result of results.toSorted((a, b) => a.leaseId - b.leaseId)) {
    if (left <= SHARE * most) break;
    if (kept.has(result.leaseId)) continue;
    gone.push(result);
    left -= result.size;
  }
  return gone;
}

/** Whether results that were paid for have to make room for work. */
export function fillsUp(store: Pick<CheckpointStore, "usedBytes" | "maxBytes">): boolean {
  return store.usedBytes > SHARE * store.maxBytes;
}

/** Lets go of results as {@link resultsToLetGo} says; does nothing while there is room. @param looked Leases that `kept` was chosen from. */
export async function tidyResults(
  store: Pick<CheckpointStore, "list" | "unpin" | "collectGarbage" | "usedBytes" | "maxBytes">,
  kept: ReadonlySet<number>,
  looked: ReadonlySet<number>,
  logger: Logger,
): Promise<void> {
  if (!fillsUp(store)) return;
  // What nobody pins must not make a result go.
  await store.collectGarbage();
  const results = store.list().flatMap(({ cid, labels, size }) =>
    labels.flatMap((label) => {
      const leaseId = /^(?:result|replica)-(\d+)$/.exec(label)?.[1];
      return leaseId === undefined ? [] : [{ leaseId: Number(leaseId), label, cid: cid.toString(), size }];
    }),
  );
  const known = results.filter(({ leaseId }) => looked.has(leaseId));
  const gone = resultsToLetGo(known, kept, store.usedBytes, store.maxBytes);
  for (const { leaseId, label, cid } of gone) {
    await store.unpin(cid, label);
    logger.info({ lease: leaseId, cid }, "the store fills up: a result that was paid for is let go");
  }
  if (gone.length > 0) await store.collectGarbage();
}
