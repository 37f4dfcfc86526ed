import { readFile } from "node:fs/promises";

import { parseDeployment } from "@verai/client/deployment";
import type { DevnetState } from "@verai/client/devnet";
import { siteSchema, type Site } from "./site.ts";

/** The configuration by which the application shows the devnet of this machine. */
export async function devnetSite({ chainId, rpcUrl, deployment, services }: DevnetState): Promise<Site> {
  const indexer = services.find(({ kind }) => kind === "indexer");
  if (!indexer) throw new Error("The devnet runs no indexer: start it again with `scripts/drmp devnet --fresh`.");
  const { addresses } = parseDeployment(chainId, deployment, await readFile(deployment, "utf8"));
  const relayUrl = services.find(({ kind }) => kind === "sponsor")?.address;
  const doorUrls = services.flatMap(({ kind, door }) => (kind === "node" && door !== undefined ? [door] : []));
  const site = { network: "devnet", chainId, rpcUrl, indexerUrl: indexer.address, deployment: addresses, doorUrls };
  return siteSchema.parse({ ...site, ...(relayUrl !== undefined && { relayUrl }) });
}
