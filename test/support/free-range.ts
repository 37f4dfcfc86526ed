import { isFree, PORTS } from "@verai/devnet/playground/ports";

/**
 * The first of a range of ports that nobody has now, away from those that systems give out. Tests that run at the same time look
 * in different places first.
 *
 * @param count At most {@link PORTS}.
 */
export async function freeRange(count: number): Promise<number> {
  for (let first = 10_000 + (process.pid % 300) * PORTS; first < 31_000; first += PORTS) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no range of ${String(count)} free ports`);
}
