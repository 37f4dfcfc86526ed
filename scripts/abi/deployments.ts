import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Deployment } from "@verai/client/deployment";
import { readDeployment } from "@verai/client/deployment-file";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { ROOT } from "@verai/devnet/processes";

/** Addresses by chain id, of every public chain that this repository holds a deployment of. */
export async function deployments(
  folder = join(ROOT, "ignition", "deployments"),
): Promise<Record<number, Deployment["addresses"]>> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  const found: Record<number, Deployment["addresses"]> = {};
  for (const name of names) {
    const chainId = Number(/^chain-(\d+)$/.exec(name)?.[1] ?? NaN);
    // A local chain's addresses mean nothing to anybody else.
    if (Number.isNaN(chainId) || chainId === LOCAL_CHAIN_ID) continue;
    const file = join(folder, name, "deployed_addresses.json");
    found[chainId] = (await readDeployment(chainId, file)).addresses;
  }
  return found;
}
