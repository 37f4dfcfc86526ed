import { setTimeout as delay } from "node:timers/promises";

import { RpcUnavailableError } from "@verai/client/errors";
import type { Reader } from "@verai/client/readers";
import type { Access } from "@verai/checkpoint-store/access/access";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { createLogger } from "@verai/process/logger";
import { reachOf } from "@verai/process/reach";

/** Where the store learns of nodes; without a provider, any address may be dialled. */
type Nodes = Pick<Reader, "block" | "nodes"> & Partial<Pick<Reader, "provider">>;

/** Ids of the nodes that are to be connected to before all others. */
export type Preferred = () => Promise<readonly number[]>;

/** Milliseconds between two looks for nodes that have come meanwhile. */
export const LOOK_MS = 10_000;

/**
 * Runs something with a checkpoint store that is connected to the network's nodes, also those that come later: nobody but
 * this store knows its address, so a node that is leased the task gets the spec only if the store has called on it.
 *
 * @param access Who may read what this store has, and what is proved to nodes; without, only public content is had from them.
 */
export async function withStore<T>(
  reader: Nodes,
  directory: string,
  work: (store: CheckpointStore) => Promise<T>,
  lookMs = LOOK_MS,
  preferred: Preferred = async () => [],
  access?: Access,
  listen: readonly string[] = ["/ip4/0.0.0.0/tcp/0"],
): Promise<T> {
  const network = await reader.provider?.getNetwork();
  const store = new CheckpointStore({
    directory,
    listen: [...listen],
    access,
    ...(network && { reach: reachOf(Number(network.chainId)) }),
    log: createLogger("store", "error"),
  });
  await store.start();
  const end = new AbortController();
  let looking: Promise<void> | undefined;
  try {
    await callOnNodes(reader, store, preferred);
    looking = keepCalling(reader, store, lookMs, preferred, end.signal);
    return await work(store);
  } finally {
    end.abort();
    await looking;
    await store.stop();
  }
}

async function callOnNodes(
  reader: Nodes,
  store: Pick<CheckpointStore, "setPeers">,
  preferred: Preferred,
): Promise<void> {
  const nodes = await reader.nodes(await reader.block());
  const first = new Set(await preferred());
  const ordered = [...nodes.filter(({ id }) => first.has(id)), ...nodes.filter(({ id }) => !first.has(id))];
  store.setPeers(ordered.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
}

/** Until the signal. While the chain cannot be asked, the nodes known so far stay. */
async function keepCalling(
  reader: Nodes,
  store: CheckpointStore,
  lookMs: number,
  preferred: Preferred,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await delay(lookMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await callOnNodes(reader, store, preferred).catch((error: unknown) => {
      if (!(error instanceof RpcUnavailableError)) throw error;
    });
  }
}
