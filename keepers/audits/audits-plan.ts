import type { AuditEpoch } from "@verai/client/audit-epochs";
import type { SegmentId } from "@verai/client/audit-reads";
import { type AuditStatus, isAuditRunning } from "@verai/client/enums";
import { auditSalt, isDrawn } from "@verai/protocol/audits/draws";
import { chanceOf, type ChanceTerms } from "@verai/protocol/audits/chance";

/** Terms of audits. Times in seconds. */
export interface AuditTerms extends ChanceTerms {
  readonly epoch: number;
  readonly openTime: number;
  readonly step: number;
}

/** A segment that was posted with a trace root, and the lease that it is of. */
export interface TracedSegment extends SegmentId {
  /** When it was posted. */
  readonly at: number;
  /** Work that it claims at most, basis points of a unit. */
  readonly progress: number;
  readonly lease: {
    readonly count: number;
    /** Price of a unit, micro-VER. */
    readonly price: number;
    /** Chance that its task asks for, basis points. */
    readonly asked: number;
  };
}

/** An audit that has not ended, or of which a panel is still to be settled with. */
export interface KnownAudit extends SegmentId {
  readonly status: AuditStatus;
  readonly due: number;
  /** Places of the members of its panel that are not settled with. */
  readonly unsettled: readonly number[];
  /** When the delivery of its lease is paid, while that waits for its window; undefined if there is none. */
  readonly paidFrom: number | undefined;
  /** Live leases that went on from what it found wrong. */
  readonly successors: readonly number[];
}

/** What the keeper of audits sees at a block. */
export interface AuditView {
  /** Chain time. */
  readonly now: number;
  readonly terms: AuditTerms;
  readonly seedTimeout: number;
  /** Minimum stake under a unit, micro-VER. */
  readonly stakePerUnit: number;
  /** End of the last epoch that got its seed: what was posted after it waits for one. */
  readonly covered: number;
  /** The newest, and those before it whose audits can still be opened. */
  readonly epochs: readonly AuditEpoch[];
  /** Segments that an epoch above may decide on, or a later one; by ascending time. */
  readonly segments: readonly TracedSegment[];
  /** Segments whose audit was opened. */
  readonly opened: ReadonlySet<string>;
  readonly audits: readonly KnownAudit[];
}

/** A step that is due. */
export type AuditStep =
  | { readonly kind: "openEpoch"; readonly leaseId: number; readonly abandons: number | undefined }
  | ({ readonly kind: "open"; readonly epochId: number } & SegmentId)
  | ({ readonly kind: "close" } & SegmentId)
  | ({ readonly kind: "holdPayment" } & SegmentId)
  | ({ readonly kind: "collect"; readonly place: number } & SegmentId)
  | ({ readonly kind: "revoke"; readonly successor: number } & SegmentId);

/** Names a segment in sets. */
export function keyOf({ leaseId, sequence }: SegmentId): string {
  return `${String(leaseId)}/${String(sequence)}`;
}

/**
 * All steps that are due, the most urgent first: what keeps a payment or a step of others waiting, then what ends at a time, then the
 * rest. Pure. O(segments + audits).
 */
export function auditSteps(view: AuditView): AuditStep[] {
  const ofAudits = view.audits.flatMap((audit) => stepsOf(audit, view));
  const epoch = epochStep(view);
  return [
    ...ofAudits.filter(({ kind }) => kind === "holdPayment"),
    ...ofAudits.filter(({ kind }) => kind === "close"),
    ...drawnSegments(view).map(({ leaseId, sequence, epochId }) => ({
      kind: "open" as const,
      ...{ leaseId, sequence, epochId },
    })),
    ...(epoch ? [epoch] : []),
    ...ofAudits.filter(({ kind }) => kind === "revoke"),
    ...ofAudits.filter(({ kind }) => kind === "collect"),
  ];
}

/**
 * The next epoch, if it is due: something waits for a seed, and has waited for the time of an epoch, so that one seed decides on as much as
 * it can. The terms are such that an audit can then still begin before a delivery is paid.
 */
export function epochStep({
  now,
  terms,
  seedTimeout,
  covered,
  epochs,
  segments,
}: AuditView): Extract<AuditStep, { kind: "openEpoch" }> | undefined {
  const last = epochs.reduce<AuditEpoch | undefined>((a, b) => (a && a.id > b.id ? a : b), undefined);
  const waits = last !== undefined && !last.abandoned && last.seed === undefined;
  const from = last === undefined ? 0 : waits ? last.to + seedTimeout + 1 : last.to + terms.epoch;
  if (now < from) return undefined;
  const since = last && !waits && !last.abandoned ? last.to : covered;
  const waiting = segments.filter(({ at, lease }) => at > since && at <= now && lease.asked > 0);
  const oldest = waiting[0];
  if (!oldest || now < oldest.at + terms.epoch) return undefined;
  // The contract looks at a lease's newest checkpoint: the newest of all is one.
  const newest = waiting.at(-1) ?? oldest;
  return { kind: "openEpoch", leaseId: newest.leaseId, abandons: waits ? last.id : undefined };
}

/** Segments that a seed has drawn and nobody has opened, as far as it is not too late. A segment may turn out to be less likely. */
function drawnSegments(view: AuditView): (SegmentId & { readonly epochId: number })[] {
  const { now, epochs, segments, opened, terms, seedTimeout } = view;
  const open = epochs.filter(({ to, abandoned }) => !abandoned && now <= to + seedTimeout + terms.openTime);
  return segments.flatMap((segment) => {
    if (opened.has(keyOf(segment))) return [];
    const epoch = open.find(({ from, to }) => from < segment.at && segment.at <= to);
    if (epoch?.seed === undefined) return [];
    const salt = auditSalt(epoch.seed, segment.leaseId, segment.sequence);
    if (!isDrawn(salt, highestChance(segment, view))) return [];
    return [{ leaseId: segment.leaseId, sequence: segment.sequence, epochId: epoch.id }];
  });
}

/** What a segment's chance can be at most: the chain knows whether its node is new, and what its lease has found. */
function highestChance({ lease, progress }: TracedSegment, { terms, stakePerUnit }: AuditView): number {
  const gain = (BigInt(progress) * BigInt(lease.price)) / 10_000n;
  const stake = BigInt(lease.count) * BigInt(Math.max(lease.price, stakePerUnit));
  return chanceOf({ asked: lease.asked, gain, stake, isNew: true }, terms);
}

function stepsOf(audit: KnownAudit, { now, terms }: AuditView): AuditStep[] {
  const { leaseId, sequence, status, due, unsettled, paidFrom, successors } = audit;
  const segment = { leaseId, sequence };
  if (isAuditRunning(status)) {
    // The contract puts the payment off until this time, and not beyond.
    const held = paidFrom !== undefined && paidFrom < due + 3 * terms.step;
    return [
      ...(held ? [{ kind: "holdPayment" as const, ...segment }] : []),
      ...(now > due ? [{ kind: "close" as const, ...segment }] : []),
    ];
  }
  return [
    ...successors.map((successor) => ({ kind: "revoke" as const, ...segment, successor })),
    ...unsettled.map((place) => ({ kind: "collect" as const, ...segment, place })),
  ];
}

/** Whether an audit found the work wrong, so that what went on from it is void. */
export function isConviction(status: AuditStatus): boolean {
  return ["fraud", "mismatch", "unavailable", "refused"].includes(status);
}
