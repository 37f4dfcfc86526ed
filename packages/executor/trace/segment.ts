import { MAX_CHECKPOINT_NUMBER } from "../checkpoint-number.ts";
import type { TraceEntry } from "./trace-file.ts";

/** Step of the state of a unit that is done: after every step that a program can count. */
export const DONE_STEP = MAX_CHECKPOINT_NUMBER + 1;

/** The part of a unit's work between two posted states. */
export interface UnitSegment {
  /** Step of the state before; 0 where it began from the spec. */
  readonly from: number;
  /** Steps from one local checkpoint to the next: the spec's `checkpoint.everySteps`. */
  readonly every: number;
  /** The state after; its step is {@link DONE_STEP} if the unit is done. */
  readonly end: TraceEntry;
}

/** Leaves of a segment, or the first step whose digest is missing. */
export type SegmentLeaves = { readonly leaves: readonly TraceEntry[] } | { readonly missing: number };

/**
 * The states that a segment passed through: those at the multiples of `every` after its beginning, then its end. Others, such
 * as the last checkpoint before an interruption, are left out: so anyone who runs the segment again comes to the same leaves. Pure, O(entries).
 *
 * @param entries The unit's trace, by growing step.
 */
export function segmentLeaves(entries: readonly TraceEntry[], { from, every, end }: UnitSegment): SegmentLeaves {
  const within = entries.filter(({ step }) => step > from && step < end.step && step % every === 0);
  for (const [i, { step }] of within.entries()) {
    const expected = (Math.floor(from / every) + 1 + i) * every;
    if (step !== expected) return { missing: expected };
  }
  const next = (Math.floor(from / every) + 1 + within.length) * every;
  // How far a unit went before it was done, only its trace says.
  if (end.step !== DONE_STEP && next < end.step) return { missing: next };
  return { leaves: [...within, end] };
}
