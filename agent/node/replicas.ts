import { createHash } from "node:crypto";

/**
 * The nodes that should hold a copy of a checkpoint, by rendezvous hashing: every agent comes to the same answer alone,
 * the load spreads evenly, and when a node leaves only its own copies move.
 *
 * @param key The checkpoint's lease; one lease's checkpoints stay together.
 * @param producer Its node, which does not count.
 * @param count How many.
 * @returns Node ids, at most `count`. O(n log n).
 */
export function replicaHolders(key: number, producer: number, nodes: readonly number[], count: number): number[] {
  const weight = (node: number) =>
    createHash("sha256")
      .update(`${String(key)}/${String(node)}`)
      .digest("hex");
  return nodes
    .filter((node) => node !== producer)
    .map((node) => ({ node, weight: weight(node) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .slice(0, count)
    .map(({ node }) => node);
}
