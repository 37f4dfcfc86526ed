import { keccak256 } from "ethers";

/**
 * A node's place among the holders of a lease, by rendezvous hashing: the upper 128 bits of
 * keccak256(leaseId, nodeId). The lowest are asked first. Nobody chooses who comes first, and nobody has to keep a list.
 */
export function holderRank(leaseId: number, nodeId: number): bigint {
  const packed = new DataView(new ArrayBuffer(8));
  packed.setUint32(0, leaseId);
  packed.setUint32(4, nodeId);
  return BigInt(keccak256(new Uint8Array(packed.buffer))) >> 128n;
}

/** These nodes in the order in which they hold a lease's copies, without its producer. O(n log n). */
export function rankHolders(leaseId: number, producer: number, nodes: readonly number[]): number[] {
  return nodes
    .filter((node) => node !== producer)
    .map((node) => ({ node, rank: holderRank(leaseId, node) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.node - b.node))
    .map(({ node }) => node);
}

/**
 * The nodes that should hold a copy of what a lease leaves, by rendezvous hashing: every agent comes to the same answer
 * alone, the load spreads evenly, and when a node leaves only its own copies move.
 *
 * @param leaseId One lease's checkpoints and result stay together.
 * @param producer Its node, which does not count.
 * @param count How many.
 * @returns Node ids, at most `count`. O(n log n).
 */
export function replicaHolders(leaseId: number, producer: number, nodes: readonly number[], count: number): number[] {
  return rankHolders(leaseId, producer, nodes).slice(0, count);
}
