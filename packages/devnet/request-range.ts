/** A chain's newest block. */
interface Head {
  readonly number: number;
  readonly hash: string | null;
}

/** What the last look covered: the head that it was at, and the last block whose logs were read. */
export interface Seen {
  readonly hash: string | null;
  readonly to: number;
}

/** Blocks that are read again: a request may come back in another block than before, when the chain was reorganised. */
const AGAIN = 64;

/**
 * Blocks whose logs may hold a request that was not answered yet; undefined: none. A head with the same hash has the same history before it,
 * so nothing is to be read; another one, of whatever number, may be of a reorganised chain. Pure.
 *
 * @param seen What the last look covered; undefined before the first.
 * @param wait Blocks that a request waits for.
 */
export function requestRange(
  head: Head,
  seen: Seen | undefined,
  wait: number,
): { readonly from: number; readonly to: number } | undefined {
  if (seen && head.hash !== null && head.hash === seen.hash) return undefined;
  const to = head.number - wait;
  if (to < 0) return undefined;
  return { from: seen ? Math.max(0, Math.min(seen.to, to) + 1 - AGAIN) : 0, to };
}
