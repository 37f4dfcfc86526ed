import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { deployCommand, type Deployment, parseDeployment } from "./deployment.ts";
import { ChainError } from "./errors.ts";

/** The file in which Ignition keeps the addresses of a chain's deployment. */
export function deploymentFile(chainId: number): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return join(root, "ignition", "deployments", `chain-${String(chainId)}`, "deployed_addresses.json");
}

/**
 * Reads where the protocol is deployed on a chain.
 *
 * @param file A JSON file of addresses; by default the one that Ignition keeps for the chain.
 * @throws {@link ChainError} `DEPLOYMENT_MISSING`, `DEPLOYMENT_INVALID` or `DEPLOYMENT_INCOMPLETE`, naming file and remedy.
 */
export async function readDeployment(chainId: number, file = deploymentFile(chainId)): Promise<Deployment> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new ChainError(
      "DEPLOYMENT_MISSING",
      false,
      `There is no deployment of chain ${String(chainId)}: ${file} cannot be read. Deploy with \`${deployCommand(chainId)}\`, or name the right file as network.deployment (--deployment of Hardhat tasks).`,
      { cause },
    );
  }
  return parseDeployment(chainId, file, text);
}
