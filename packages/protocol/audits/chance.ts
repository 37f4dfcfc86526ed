const BASIS = 10_000n;

/** Terms of audits that a segment's chance depends on, basis points. */
export interface ChanceTerms {
  readonly chance: number;
  readonly newChance: number;
  readonly loss: number;
}

/** A segment as far as its chance goes. */
interface PricedSegment {
  /** Chance that its task asks for, basis points; 0: no audits. */
  readonly asked: number;
  /** Price of the work that it claims, micro-VER. */
  readonly gain: bigint;
  /** Stake under the lease at least, micro-VER. */
  readonly stake: bigint;
  /** Whether its node is new. */
  readonly isNew: boolean;
}

/**
 * Probability with which a segment is audited, basis points; the same as `AuditEpochs.chanceOf`: at least 3/2 · gain ÷ (gain + loss), so
 * that cheating in it is a loss with a third of the verifiers colluding.
 */
export function chanceOf({ asked, gain, stake, isNew }: PricedSegment, terms: ChanceTerms): number {
  if (asked === 0) return 0;
  const loss = (stake * BigInt(terms.loss)) / BASIS;
  const needed = gain === 0n ? 0n : ceilDiv(3n * gain * BASIS, 2n * (gain + loss));
  return Math.min(Number(BASIS), Math.max(Number(needed), asked, isNew ? terms.newChance : terms.chance));
}

function ceilDiv(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
