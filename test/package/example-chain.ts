import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HDNodeWallet, Mnemonic, parseEther } from "ethers";

import { CONTRACT_KEYS } from "@verai/client/deployment";
import { deployLocal } from "@verai/devnet/deploy";
import { serve } from "@verai/devnet/serve";

/** Where the examples of the package's README find what they need: a chain with a node on it, and a developer's key. */
export interface ExampleChain {
  readonly environment: Readonly<Record<"RPC_URL" | "PRIVATE_KEY" | "DEPLOYMENT", string>>;
  readonly close: () => Promise<void>;
}

/** Everybody knows the accounts of a local chain; this is one that holds no role. */
const DEVELOPER = "m/44'/60'/0'/0/9";
const MNEMONIC = "test test test test test test test test test test test junk";

/** Starts a chain with the protocol and one node of 8 units at 0.01 VER, served over HTTP. */
export async function startExampleChain(): Promise<ExampleChain> {
  const { connection, accounts, contracts } = await deployLocal();
  const [owner] = accounts.others;
  if (!owner) throw new Error("the simulated chain has too few accounts");
  const developer = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), DEVELOPER);
  const treasury = contracts.token.connect(accounts.governance);
  for (const { address } of [owner, developer]) await treasury.transfer(address, parseEther("10000"));
  await contracts.token.connect(owner).approve(contracts.vault, parseEther("10000"));
  const profile = { energySource: 2, powerThreshold: 300, powerMax: 1000, endpoint: "/ip4/127.0.0.1/tcp/9001" };
  const offer = { classId: 0, capacity: 8, ask: parseEther("0.01") };
  const itself = { operator: owner.address, deadline: 0n, signature: "0x" };
  await contracts.nodes.connect(owner).register(itself, offer, profile, parseEther("1200"));

  const folder = await mkdtemp(join(tmpdir(), "drmp-example-chain-"));
  const deployed = await Promise.all(
    Object.entries(contracts).map(async ([key, contract]) => [
      `Drmp#${CONTRACT_KEYS[key as keyof typeof contracts]}`,
      await contract.getAddress(),
    ]),
  );
  const file = join(folder, "deployed_addresses.json");
  await writeFile(file, JSON.stringify(Object.fromEntries(deployed)));
  const server = await serve(connection.provider);
  return {
    environment: { RPC_URL: server.url, PRIVATE_KEY: developer.privateKey, DEPLOYMENT: file },
    close: async () => {
      await server.close();
      await connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
