import { CONSTANTS } from "@verai/client/generated/constants";
import type { BatchStatus } from "@verai/client/enums";

/** What the failover keeper sees of the reassignment of orphaned ranges, at one block. Times in seconds. */
export interface BatchView {
  /** Timestamp of the block. */
  readonly now: number;
  /** Ranges of failed leases, and units that move, that wait for a batch. */
  readonly orphans: number;
  readonly batch: {
    readonly id: number;
    readonly status: BatchStatus;
    readonly openedAt: number;
    /** Ranges that are still to be drawn for. */
    readonly left: number;
    /** Whether its seed has come. */
    readonly seeded: boolean;
  };
  /** Whether overdue leases are being expired whose ranges could come into the next batch. */
  readonly expiring?: boolean;
  /** Whether a round or a batch holds the listings. */
  readonly frozen: boolean;
  /** Nodes whose listing is behind what they are: opening a batch brings some up to date itself, and refuses while more are left. */
  readonly pending?: number;
  /** Earliest time at which a batch can be opened: rounds have a moment to go first after a batch, and moves share a seed. */
  readonly nextOpening: number;
  readonly seedTimeout: number;
  readonly settleTimeout: number;
}

/**
 * Ranges of failed leases that no node was drawn for yet: those that wait for a batch, and those of a batch that waits for its seed or is being
 * drawn. While the oracle is silent the queue itself is empty most of the time. Pure.
 */
export function undrawnOf({ orphans, batch }: Pick<BatchView, "orphans" | "batch">): number {
  return orphans + (batch.status === "seeding" || batch.status === "drawing" ? batch.left : 0);
}

/** What should be done next about orphaned ranges, and why. */
export type BatchStep =
  | { readonly kind: "open"; readonly why: string }
  | { readonly kind: "sync"; readonly why: string }
  | { readonly kind: "draw"; readonly batchId: number; readonly why: string }
  | { readonly kind: "abort"; readonly batchId: number; readonly why: string }
  | { readonly kind: "wait"; readonly why: string };

/** Pending listings that opening a batch works off itself (`SYNC_AT_OPEN` in Reassignment.sol). */
const SYNC_AT_OPEN = 48;

/**
 * Decides the next step from what the chain says now. Pure and level-triggered: the same view always gives the same
 * step, so a keeper that was killed, or a second one, goes on from wherever things stand. O(1).
 */
export function nextBatchStep(view: BatchView): BatchStep {
  const { batch, now } = view;
  const name = `batch ${String(batch.id)}`;
  if (batch.status === "seeding") {
    return now > batch.openedAt + view.seedTimeout
      ? { kind: "abort", batchId: batch.id, why: `the oracle did not answer ${name} in time` }
      : { kind: "wait", why: `${name} waits for its seed` };
  }
  if (batch.status === "drawing") {
    return now > batch.openedAt + view.seedTimeout + view.settleTimeout
      ? { kind: "abort", batchId: batch.id, why: `${name} was not drawn in time` }
      : { kind: "draw", batchId: batch.id, why: `${String(batch.left)} ranges of ${name} are to be drawn for` };
  }
  if (view.orphans === 0) return { kind: "wait", why: "no range is orphaned" };
  if (view.frozen)
    return { kind: "wait", why: `${String(view.orphans)} orphaned ranges wait for the end of the round` };
  if (now < view.nextOpening) {
    return { kind: "wait", why: `${String(view.orphans)} orphaned ranges wait until a batch may be opened` };
  }
  if (view.expiring === true && view.orphans < CONSTANTS.Reassignment.BATCH) {
    return { kind: "wait", why: `${String(view.orphans)} orphaned ranges wait for others, which are being expired` };
  }
  const { pending = 0 } = view;
  if (pending > SYNC_AT_OPEN) {
    return { kind: "sync", why: `${String(pending)} listings are pending, more than opening a batch works off` };
  }
  return { kind: "open", why: `${String(view.orphans)} ranges are orphaned` };
}
