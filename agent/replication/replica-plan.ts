import type { Checkpoint, Lease } from "@verai/client/entities";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";

/** Content of a lease that its replicas should have. */
export interface Wanted {
  readonly leaseId: number;
  readonly cid: string;
  /** Bytes that the chain has on record: nobody needs to be sent more. */
  readonly size: number;
}

/** A replica that is here. */
export interface Held {
  readonly leaseId: number;
  readonly cid: string;
}

/**
 * What replicas of a lease are of: its result, its newest checkpoint, and the one before, which its successor falls back
 * on. The most important first. Once it is paid, nobody goes on from there: its result is all that matters.
 *
 * @param newest The lease's newest checkpoints on chain, the newest first.
 */
export function wantedOf(lease: Pick<Lease, "id" | "result" | "status">, newest: readonly Checkpoint[]): Wanted[] {
  const contents = [...(lease.result ? [lease.result] : []), ...(lease.status === "paid" ? [] : newest.slice(0, 2))];
  return contents.map((content) => ({
    leaseId: lease.id,
    cid: fromChainCid(content).toString(),
    size: content.size,
  }));
}

/**
 * What has to be copied: first the most important of every lease, then what is left. Pure; O(n) in what is wanted.
 *
 * @param wanted By lease, the most important first; leases whose replicas are this node's alone.
 * @param maxBytes Larger ones are not taken.
 */
export function missing(
  wanted: ReadonlyMap<number, readonly Wanted[]>,
  held: readonly Held[],
  maxBytes: number,
): Wanted[] {
  const here = new Set(held.map(keyOf));
  const byImportance: Wanted[][] = [];
  for (const contents of wanted.values()) {
    contents.forEach((content, rank) => {
      if (!here.has(keyOf(content)) && content.size <= maxBytes) (byImportance[rank] ??= []).push(content);
    });
  }
  return byImportance.flat();
}

/**
 * Which replicas can go: those of leases that are no longer of use, and what a lease has moved on from, once the most
 * important that it has now is here. So no more than two checkpoints of a lease stay, and never none. Pure; O(n).
 *
 * @param wanted Of every lease that is of use and has replicas here.
 */
export function superfluous(wanted: ReadonlyMap<number, readonly Wanted[]>, held: readonly Held[]): Held[] {
  const here = new Set(held.map(keyOf));
  return held.filter((replica) => {
    const contents = wanted.get(replica.leaseId);
    const [first] = contents ?? [];
    if (!contents) return true;
    return first !== undefined && here.has(keyOf(first)) && !contents.some(({ cid }) => cid === replica.cid);
  });
}

function keyOf({ leaseId, cid }: Held): string {
  return `${String(leaseId)} ${cid}`;
}
