/** How long the steps of audits take at most, seconds; parameters of the contracts. */
export interface AuditTimes {
  /** From one epoch to the next, while keepers open them. */
  readonly epoch: number;
  /** Until a seed that did not come is given up. */
  readonly seedTimeout: number;
  /** Audits of an epoch can be opened so long after its seed. */
  readonly opening: number;
  /** From an audit's opening to its end. */
  readonly longest: number;
}

/** What the chain says of a posted checkpoint, as the end of a segment. Chain time, seconds. */
export interface SegmentState {
  /** Number of the checkpoint in its lease, from 1 on. */
  readonly sequence: number;
  readonly postedAt: number;
  /** When the epoch that it belongs to got its seed; undefined: not yet. */
  readonly seededAt?: number;
  /** Its audit: drawn and open, or ended. Undefined: none was opened. */
  readonly audit?: "open" | "ended";
}

/** Seeds in a row that may fail to come; after that an epoch is no longer waited for. */
const SILENT_SEEDS = 3;
/** Checkpoints that are kept in any case: what a damaged newest falls back to. */
const ALWAYS = 2;

/**
 * Until when an audit can still ask for the states of a segment: its own and the one before. Chain time, seconds. Bounded whatever anybody does: a
 * segment that no epoch decides on is kept for one epoch and three seeds that do not come. Pure.
 */
export function neededUntil({ postedAt, seededAt, audit }: SegmentState, times: AuditTimes): number {
  if (audit === "ended") return seededAt ?? postedAt;
  const opened = audit === "open" ? times.longest : 0;
  if (seededAt !== undefined) return seededAt + times.opening + opened;
  return postedAt + times.epoch + SILENT_SEEDS * times.seedTimeout + times.opening + times.longest;
}

/**
 * Sequence numbers of a lease's checkpoints whose states are to be kept: the newest two, and the end and the beginning of each segment that an
 * audit can still ask for. At most what is posted within the bound of {@link neededUntil}, and two. Pure, O(segments).
 *
 * @param now Chain time, seconds.
 */
export function keptCheckpoints(
  segments: readonly SegmentState[],
  now: number,
  times: AuditTimes,
): ReadonlySet<number> {
  const newest = Math.max(0, ...segments.map(({ sequence }) => sequence));
  const kept = new Set<number>();
  for (const segment of segments) {
    const { sequence } = segment;
    if (sequence > newest - ALWAYS) kept.add(sequence);
    if (now > neededUntil(segment, times)) continue;
    kept.add(sequence);
    kept.add(sequence - 1);
  }
  // The first segment begins with a checkpoint of a lease before, or the spec.
  kept.delete(0);
  return kept;
}
