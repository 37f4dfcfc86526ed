import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { CheckpointStore } from "../../checkpoints/store.ts";

/** Time for one try to find a checkpoint at another node, milliseconds. */
const TRY_MS = 5_000;
const PAUSE_MS = 500;

/**
 * Waits until another node holds the whole of a checkpoint, so that the node that made it can go.
 *
 * Nobody's word is taken for it: the checkpoint is fetched back, block by block verified, by a peer that is connected to
 * that other node alone.
 *
 * @param endpoint Multiaddrs of the other node.
 * @param scratch Directory for what is fetched; removed again.
 * @returns Whether it does so before the signal is raised.
 */
export async function isHeldBy(
  endpoint: readonly string[],
  cid: string,
  scratch: string,
  signal: AbortSignal,
): Promise<boolean> {
  const directory = await mkdtemp(`${scratch}.`);
  const store = new CheckpointStore({ directory: join(directory, "store") });
  try {
    await store.start();
    store.setPeers(endpoint);
    while (!signal.aborted) {
      try {
        await store.fetch(cid, { stallTimeout: TRY_MS, signal });
        return true;
      } catch {
        await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  } finally {
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
