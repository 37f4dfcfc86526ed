import { keccak256 } from "ethers";

/** Nodes that may be asked to hold a task's spec and inputs. */
const TASK_CANDIDATES = 16;

/** Draws made for them: in a small network several draws name the same node. */
const DRAWS = 8 * TASK_CANDIDATES;

/**
 * Ids of the nodes that may hold what a task needs to begin, before anybody has a lease of it: in the order in which they are
 * asked. They follow from the task's id and the number of nodes, so that its developer and the nodes that are leased the task later
 * name the same without a word on chain. Jump consistent hashing (Lamping and Veach): a node that registers meanwhile takes over few
 * places, so that most stay the same. Pure; O(draws × log nodes).
 *
 * @param nodeCount Nodes ever registered: ids 1 to this.
 */
export function taskHolders(taskId: number, nodeCount: number, most = TASK_CANDIDATES): number[] {
  return drawn(`task ${String(taskId)}`, nodeCount, most);
}

/**
 * Ids of the nodes that may hold a spec before any task names it: as {@link taskHolders}, by the digest of the spec's CID. Pure.
 *
 * @param digest `0x` and 64 hexadecimal digits.
 */
export function specHolders(digest: string, nodeCount: number, most = TASK_CANDIDATES): number[] {
  return drawn(`spec ${digest.toLowerCase()}`, nodeCount, most);
}

function drawn(subject: string, nodeCount: number, most: number): number[] {
  const ids = new Set<number>();
  for (let draw = 0; draw < DRAWS && ids.size < Math.min(most, nodeCount); draw++) {
    const text = new TextEncoder().encode(`DRMP ${subject} ${String(draw)}`);
    ids.add(1 + jump(BigInt(keccak256(text)) & MASK, nodeCount));
  }
  return [...ids];
}

const MASK = (1n << 64n) - 1n;

/** The bucket, 0 to `buckets` − 1, of a 64-bit key. */
function jump(key: bigint, buckets: number): number {
  let [state, bucket, next] = [key, -1, 0];
  while (next < buckets) {
    bucket = next;
    state = (state * 2862933555777941757n + 1n) & MASK;
    next = Math.floor((bucket + 1) * (2 ** 31 / Number((state >> 33n) + 1n)));
  }
  return bucket;
}
