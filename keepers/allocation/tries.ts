/** Steps that can be refused again and again while others would get further. */
export type ReconcileStep = "sync" | "park" | "enqueue" | "open" | "fees";

/** What became of the last tries of each step; a step that went through leaves nothing. */
export type Tries = Readonly<Partial<Record<ReconcileStep, Try>>>;

/** A step that was refused. */
export interface Try {
  /** Maximum that the next try does at once. */
  readonly most: number;
  /** How often in a row it was refused with nothing left to halve. */
  readonly failures: number;
  /** Until when it is passed over, seconds of the chain's time; 0: it is not. */
  readonly until: number;
}

/** The first time for which a step is passed over, and the longest, seconds. */
const HOLD = { first: 30, longest: 3600 } as const;

/** What is remembered after a step went through. What it brought up to date no longer keeps a round from opening. */
export function afterSuccess(tries: Tries, step: ReconcileStep): Tries {
  const { [step]: _, open, ...rest } = tries;
  return open === undefined || step === "open" || step === "sync" || step === "park" ? rest : { ...rest, open };
}

/**
 * What is remembered after a step of this size was refused, by the contracts or for its gas: half of it is tried next, and
 * what cannot be halved is passed over for a time that doubles. So the same refused step is never chosen for ever.
 */
export function afterRefusal(tries: Tries, step: ReconcileStep, size: number, now: number): Tries {
  if (size > 1) {
    return { ...tries, [step]: { most: Math.floor(size / 2), failures: tries[step]?.failures ?? 0, until: 0 } };
  }
  const failures = (tries[step]?.failures ?? 0) + 1;
  const hold = Math.min(HOLD.first * 2 ** (failures - 1), HOLD.longest);
  return { ...tries, [step]: { most: 1, failures, until: now + hold } };
}

/** How much of a step to do at once: nothing while it is passed over. */
export function sizeOf(tries: Tries, step: ReconcileStep, wanted: number, now: number): number {
  const last = tries[step];
  if (last === undefined) return wanted;
  return now < last.until ? 0 : Math.min(wanted, last.most);
}
