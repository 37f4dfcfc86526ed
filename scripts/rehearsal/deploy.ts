import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { HARDHAT } from "@verai/devnet/chain";
import { type Processes, ROOT } from "@verai/devnet/processes";
import type { KeystoreWallet } from "./wallets.ts";

/** Who holds the roles of a deployment. */
export interface RoleHolders {
  readonly governance: string;
  readonly guardian: string;
  readonly arbiter: string;
  readonly treasury: string;
}

/**
 * BASE Sepolia's own parameters file with its place-holders filled in, nothing else changed.
 *
 * @returns The coordinator's address that it names.
 */
export async function fillParameters(target: string, holders: RoleHolders): Promise<{ vrfCoordinator: string }> {
  const text = await readFile(join(ROOT, "ignition", "parameters", "baseSepolia.json"), "utf8");
  const json = JSON.parse(text) as { Drmp: Record<string, unknown> & { vrfCoordinator: string } };
  for (const [role, address] of Object.entries(holders)) {
    if (!String(json.Drmp[role]).startsWith("REPLACE_ME"))
      throw new Error(`the parameters file has no place for ${role}`);
    json.Drmp[role] = address;
  }
  await writeFile(target, JSON.stringify(json, null, 2));
  return json.Drmp;
}

/** Deploys as the README says, under a name of its own. @returns The file with the deployed addresses. */
export async function deploy(
  processes: Processes,
  parameters: string,
  deploymentId: string,
  environment: Readonly<Record<string, string>>,
  { keystore, passphraseFile }: KeystoreWallet,
): Promise<string> {
  const what = ["--parameters", parameters, "--deployment-id", deploymentId, "--reset"];
  const signer = ["--keystore", keystore, "--passphrase-file", passphraseFile, "--yes"];
  const args = ["network:deploy", "--network", "baseSepolia", ...what, ...signer];
  await processes.run("deploy", [HARDHAT, ...args], environment);
  return join(ROOT, "ignition", "deployments", deploymentId, "deployed_addresses.json");
}
