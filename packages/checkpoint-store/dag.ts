import { decode } from "@ipld/dag-pb";
import type { PBNode } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";

import { DAG_PB, RAW, blockName } from "./cids.ts";
import { CheckpointError } from "./errors.ts";

/** Returns a block's verified bytes, or throws. */
export type ReadBlock = (cid: CID) => Promise<Uint8Array>;

/** What is below a root. */
export interface DagSummary {
  /**
   * Bytes of all blocks below the root and itself, each counted as often as it is linked to (UnixFS' cumulative
   * size): an upper bound of both what is stored and what is written out, and what `maxBytes` bounds.
   */
  size: number;
  /** Names (see {@link blockName}) of the distinct blocks. */
  names: string[];
}

/** How {@link collect} goes about it. */
export interface CollectOptions {
  maxBytes: number;
  /** Reads in flight at a time; memory is about this many MiB. */
  concurrency: number;
  /** Sees to it that a raw leaf is stored, and returns its bytes; without it, leaves are read. */
  leaf?: (cid: CID) => Promise<number>;
  /** Called for each distinct block, with the size that the root claims for the whole (0 if unknown). */
  onBlock?: (bytes: number, claimedSize: number) => void;
  /** Called with the first error, while other reads are still in flight; `collect` throws it when they have ended. */
  onError?: (error: unknown) => void;
}

interface Visited {
  bytes: number;
  links: string[];
}

/** Decodes a dag-pb block. @throws {@link CheckpointError} `INVALID_DIRECTORY` if it isn't one. */
export function decodeNode(cid: CID, bytes: Uint8Array): PBNode {
  try {
    return decode(bytes);
  } catch (error) {
    throw new CheckpointError(
      "INVALID_DIRECTORY",
      `Block ${cid.toString()} is not a valid dag-pb node: its author must add the content again`,
      { cause: error },
    );
  }
}

/**
 * Reads every block below a root once, breadth first, and sums them up.
 *
 * @throws {@link CheckpointError} `TOO_LARGE` as early as the root's claim, or what has been read, shows it;
 * `INVALID_DIRECTORY` for blocks that UnixFS has no use for; whatever `read` throws.
 */
export async function collect(root: CID, read: ReadBlock, options: CollectOptions): Promise<DagSummary> {
  const visited = new Map<string, Visited | undefined>();
  const queue: CID[] = [];
  let distinctBytes = 0;
  let claimed = 0;

  const discover = (cid: CID, parent: CID): string => {
    const name = blockName(cid);
    if (name === undefined || (cid.code !== RAW && cid.code !== DAG_PB)) {
      throw new CheckpointError(
        "INVALID_DIRECTORY",
        `Block ${parent.toString()} links to ${cid.toString()}, which is neither raw nor dag-pb with sha2-256: its author must add the content again`,
      );
    }
    // the same bytes could be linked to as raw and as dag-pb; then only the latter leads further
    const key = cid.code === RAW ? `raw:${name}` : name;
    if (!visited.has(key)) {
      visited.set(key, undefined);
      queue.push(cid);
    }
    return key;
  };

  const visit = async (cid: CID): Promise<void> => {
    const leaf = cid.code === RAW ? await options.leaf?.(cid) : undefined;
    const block = leaf === undefined ? await read(cid) : undefined;
    const bytes = leaf ?? block?.byteLength ?? 0;
    distinctBytes += bytes;
    const links = cid.code === RAW || block === undefined ? [] : decodeNode(cid, block).Links;
    if (cid.equals(root)) {
      claimed = links.reduce((sum, link) => sum + (link.Tsize ?? 0), bytes);
    }
    refuseAbove(root, Math.max(distinctBytes, claimed), options.maxBytes);
    const keys = links.map((link) => discover(link.Hash, cid));
    visited.set(keyOf(cid), { bytes, links: keys });
    options.onBlock?.(bytes, claimed);
  };

  const rootKey = discover(root, root);
  await drain(queue, visit, options);
  const size = cumulativeSize(rootKey, visited);
  refuseAbove(root, size, options.maxBytes);
  return { size, names: [...new Set([...visited.keys()].map((key) => key.replace("raw:", "")))] };
}

function keyOf(cid: CID): string {
  const name = blockName(cid) ?? "";
  return cid.code === RAW ? `raw:${name}` : name;
}

/** @throws {@link CheckpointError} `TOO_LARGE` */
export function refuseAbove(root: CID, size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new CheckpointError(
    "TOO_LARGE",
    `${root.toString()} has at least ${size} bytes, more than the ${maxBytes} allowed: raise the bound, or have a smaller one made`,
  );
}

/** Works a queue off while the work adds to it. Ends at the first error, once all that runs has settled. */
async function drain(queue: CID[], work: (cid: CID) => Promise<void>, options: CollectOptions): Promise<void> {
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  while ((queue.length > 0 && errors.length === 0) || running.size > 0) {
    while (queue.length > 0 && running.size < options.concurrency && errors.length === 0) {
      const cid = queue.shift();
      if (cid === undefined) break;
      const task = work(cid)
        .catch((error: unknown) => {
          if (errors.push(error) === 1) options.onError?.(error);
        })
        .finally(() => {
          running.delete(task);
        });
      running.add(task);
    }
    await Promise.race(running);
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Sum over all paths. Hashes make cycles impossible, but a chain may be longer than the call stack is deep, hence no
 * recursion. May be infinite for content that was made to explode; it is only compared.
 */
function cumulativeSize(root: string, visited: ReadonlyMap<string, Visited | undefined>): number {
  const sizes = new Map<string, number>();
  const stack = [root];
  for (let key = stack.at(-1); key !== undefined; key = stack.at(-1)) {
    const { bytes, links } = visited.get(key) ?? { bytes: 0, links: [] };
    const open = links.filter((link) => !sizes.has(link));
    if (open.length > 0 && !sizes.has(key)) {
      stack.push(...new Set(open));
      continue;
    }
    stack.pop();
    sizes.set(
      key,
      links.reduce((sum, link) => sum + (sizes.get(link) ?? 0), bytes),
    );
  }
  return sizes.get(root) ?? 0;
}
