import { setTimeout as delay } from "node:timers/promises";

import { RpcUnavailable } from "../../chain/errors.ts";
import type { Reader } from "../../chain/readers.ts";
import { CheckpointStore } from "../../checkpoints/store.ts";
import { createLogger } from "../../service/logger.ts";

/** Where the store learns of nodes. */
type Nodes = Pick<Reader, "pin" | "nodes">;

/** Milliseconds between two looks for nodes that have come meanwhile. */
const LOOK_MS = 10_000;

/**
 * Runs something with a checkpoint store that is connected to the network's nodes, those that come later, too: nobody but
 * this store knows its address, so a node that is leased the task gets the spec only if the store has called on it.
 */
export async function withStore<T>(
  reader: Nodes,
  directory: string,
  work: (store: CheckpointStore) => Promise<T>,
  lookMs = LOOK_MS,
): Promise<T> {
  const store = new CheckpointStore({
    directory,
    listen: ["/ip4/0.0.0.0/tcp/0"],
    log: createLogger("store", "error"),
  });
  await store.start();
  const end = new AbortController();
  let looking: Promise<void> | undefined;
  try {
    await callOnNodes(reader, store);
    looking = keepCalling(reader, store, lookMs, end.signal);
    return await work(store);
  } finally {
    end.abort();
    await looking;
    await store.stop();
  }
}

async function callOnNodes(reader: Nodes, store: Pick<CheckpointStore, "setPeers">): Promise<void> {
  const nodes = await reader.nodes(await reader.pin());
  store.setPeers(nodes.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
}

/** Until the signal. While the chain cannot be asked, the nodes known so far stay. */
async function keepCalling(reader: Nodes, store: CheckpointStore, lookMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await delay(lookMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await callOnNodes(reader, store).catch((error: unknown) => {
      if (!(error instanceof RpcUnavailable)) throw error;
    });
  }
}
