import type { Lease } from "@verai/client/entities";
import { microToWei } from "@verai/protocol/money/ver";

/** What a node has earned and what is on its way, wei. */
export interface Earnings {
  readonly paid: bigint;
  /** Delivered, not yet accepted. */
  readonly delivered: bigint;
  /** Leased now. */
  readonly running: bigint;
}

/** Sums a node's leases. Pure; O(n). */
export function earningsOf(leases: readonly Lease[]): Earnings {
  const sum = (...statuses: readonly string[]) =>
    leases
      .filter(({ status }) => statuses.includes(status))
      .reduce((total, { price, count }) => total + microToWei(price) * BigInt(count), 0n);
  return { paid: sum("paid"), delivered: sum("delivered", "disputed"), running: sum("active") };
}
