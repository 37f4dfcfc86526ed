import { join } from "node:path";

import { HARDHAT } from "@verai/devnet/chain";
import { type Processes, ROOT } from "@verai/devnet/processes";
import type { KeystoreWallet } from "@verai/devnet/wallets";

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
