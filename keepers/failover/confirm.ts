import { ChainError } from "@verai/client/errors";
import type { Pin } from "@verai/client/pin";
import type { Lease } from "@verai/client/entities";

/** What a second endpoint says of a lease that the first sees overdue. */
export type Opinion =
  | { readonly kind: "agrees" }
  /** It sees the lease in time, or not active any more. */
  | { readonly kind: "disagrees"; readonly why: string }
  /** It could not be asked, or lags behind: that says nothing. */
  | { readonly kind: "silent"; readonly why: string };

/** The part of a reader that a second look needs. */
export interface SecondLook {
  pin(): Promise<Pin>;
  leaseCount(at: Pin): Promise<number>;
  leasesById(at: Pin, ids: readonly number[]): Promise<Lease[]>;
}

/**
 * Asks a second endpoint whether it also sees a lease active and overdue. Only then may it be expired: an endpoint that
 * lags, or lies, must not cost a node its stake; and one that gives no answer is never taken for agreement.
 *
 * @param open Gives the endpoint's reader; rejects while it cannot be reached.
 * @param isOverdue Judges the lease at the second endpoint's own block.
 */
export async function secondOpinion<T extends SecondLook>(
  open: () => Promise<T>,
  leaseId: number,
  isOverdue: (reader: T, lease: Lease, at: Pin) => Promise<boolean> | boolean,
): Promise<Opinion> {
  try {
    const reader = await open();
    const pin = await reader.pin();
    if ((await reader.leaseCount(pin)) < leaseId) {
      return { kind: "silent", why: `its block ${String(pin.number)} is older than the lease` };
    }
    const [lease] = await reader.leasesById(pin, [leaseId]);
    if (lease?.status !== "active")
      return { kind: "disagrees", why: `it sees the lease ${lease?.status ?? "nowhere"}` };
    if (await isOverdue(reader, lease, pin)) return { kind: "agrees" };
    return {
      kind: "disagrees",
      why: `at its block ${String(pin.number)} the lease is in time until ${String(lease.due)}`,
    };
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    return { kind: "silent", why: error.message };
  }
}
