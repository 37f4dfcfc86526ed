import { setTimeout as delay } from "node:timers/promises";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { type DemoChain, freePort } from "./chain.ts";
import type { Configs } from "./configs.ts";
import { healthOf } from "./playground/services.ts";
import type { Processes } from "./processes.ts";

/** Bounds of reading some minutes of history, and of building the application on a busy machine. */
const READY_MS = 180_000;
const LOOK_MS = 250;

/**
 * Serves what a network came to in a browser: an indexer reads its history, and the application shows it.
 *
 * @returns Where the application is. @throws Error if either is not there in time.
 */
export async function showInBrowser(
  processes: Pick<Processes, "start">,
  chain: Pick<DemoChain, "rpcUrl" | "deployment">,
  configs: Configs,
): Promise<string> {
  const [history, port] = [await freePort(), await freePort()];
  const indexerUrl = `http://127.0.0.1:${String(history)}`;
  const indexer = await configs.indexer({ api: { port: history }, service: { port: 0 } });
  processes.start("indexer", ["indexer/main.ts", "run", "--config", indexer]);
  await untilHealthy(`${indexerUrl}/ready`);
  const { rpcUrl, deployment } = chain;
  const site = await configs.web({ network: "demo", chainId: LOCAL_CHAIN_ID, rpcUrl, indexerUrl, deployment });
  processes.start("web", ["web/server/main.ts", "--config", site, "--port", String(port)]);
  await untilHealthy(`http://127.0.0.1:${String(port)}/health`);
  return `http://localhost:${String(port)}/`;
}

async function untilHealthy(url: string): Promise<void> {
  let wrong = await healthOf(url);
  for (const end = performance.now() + READY_MS; wrong !== undefined; wrong = await healthOf(url)) {
    if (performance.now() > end) throw new Error(`${wrong} after ${String(READY_MS / 1000)} s: see its log`);
    await delay(LOOK_MS);
  }
}
