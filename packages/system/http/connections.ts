/** What is known of an open connection. */
export interface ConnectionFacts {
  /** Where it comes from. */
  readonly address: string;
  /** Whether it has sent a whole request that was answered. */
  readonly proven: boolean;
  /** Whether a request of it is being answered. */
  readonly busy: boolean;
  /** When it was opened or last used, milliseconds. */
  readonly usedAt: number;
}

/** Idle time after which a connection that was of use may be ended for a new one, milliseconds. */
const IDLE_MS = 1_000;

/**
 * The connection to end so that a new one finds room; undefined if all are of use. Those that never asked for anything
 * come first, then idle ones; of these, one of the address that has most, so that no address can crowd out the others;
 * of these, the one used longest ago. Pure; O(connections).
 *
 * @param now - milliseconds, by the clock of `usedAt`
 */
export function chooseVictim<T>(connections: Iterable<readonly [T, ConnectionFacts]>, now: number): T | undefined {
  const idle = [...connections].filter(([, facts]) => !facts.busy && (!facts.proven || now - facts.usedAt >= IDLE_MS));
  const unproven = idle.filter(([, { proven }]) => !proven);
  const candidates = unproven.length > 0 ? unproven : idle;
  const counts = new Map<string, number>();
  for (const [, { address }] of candidates) counts.set(address, (counts.get(address) ?? 0) + 1);
  let victim: readonly [T, ConnectionFacts] | undefined;
  for (const each of candidates) {
    if (victim === undefined || rank(each[1]) > rank(victim[1])) victim = each;
  }
  return victim?.[0];

  /** More connections first, then the older one. */
  function rank({ address, usedAt }: ConnectionFacts): number {
    return (counts.get(address) ?? 0) * 1e12 - usedAt;
  }
}
