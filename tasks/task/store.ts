import type { Reader } from "../../chain/readers.ts";
import { CheckpointStore } from "../../checkpoints/store.ts";
import { createLogger } from "../../service/logger.ts";

/** Runs something with a checkpoint store that is connected to the network's nodes. */
export async function withStore<T>(
  reader: Reader,
  directory: string,
  work: (store: CheckpointStore) => Promise<T>,
): Promise<T> {
  const store = new CheckpointStore({
    directory,
    listen: ["/ip4/0.0.0.0/tcp/0"],
    log: createLogger("store", "error"),
  });
  await store.start();
  try {
    const nodes = await reader.nodes(await reader.pin());
    store.setPeers(nodes.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
    return await work(store);
  } finally {
    await store.stop();
  }
}
