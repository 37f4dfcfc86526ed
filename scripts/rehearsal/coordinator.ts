import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ContractFactory, type InterfaceAbi, type Wallet } from "ethers";

import { ROOT } from "@verai/devnet/processes";
import type { RehearsalChain } from "./chain.ts";
import { connect } from "@verai/client/deployment";
import { readDeployment } from "@verai/client/deployment-file";
import { Reader } from "@verai/client/readers";
import { CHAIN_ID } from "./chain.ts";
import { HARDHAT } from "@verai/devnet/chain";
import { type Processes } from "@verai/devnet/processes";
import type { KeystoreWallet } from "@verai/devnet/wallets";

const ARTIFACT =
  "artifacts/@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol/VRFCoordinatorV2_5Mock.json";

/** Fees of the mock's constructor: a flat base fee, a gas price, and wei per LINK; native payment uses the first two. */
const MOCK_FEES = [10_000_000_000_000_000n, 1_000_000_000n, 5_000_000_000_000_000n] as const;

/**
 * Puts Chainlink's coordinator mock where BASE Sepolia has the real coordinator, so that the very parameters file can be
 * deployed from: deployed elsewhere first, for its constructor sets immutable values, then its code is moved.
 */
export async function placeCoordinator(chain: RehearsalChain, payer: Wallet, address: string): Promise<void> {
  const artifact = JSON.parse(await readFile(join(ROOT, ARTIFACT), "utf8")) as { abi: InterfaceAbi; bytecode: string };
  const mock = await new ContractFactory(artifact.abi, artifact.bytecode, payer).deploy(...MOCK_FEES);
  await mock.waitForDeployment();
  const code = await chain.provider.getCode(await mock.getAddress());
  await chain.provider.send(`${chain.prefix}_setCode`, [address, code]);
}

/** Reads the deployment on the chain itself, past the endpoint that fails for a while. */
export async function readerOf({ provider }: RehearsalChain, file: string): Promise<Reader> {
  return new Reader(connect(await readDeployment(CHAIN_ID, file), provider));
}

/** A checkpoint that others have signed for, as the chain tells. */
export interface HeldCheckpoint {
  readonly lease: number;
  /** The nodes that hold a copy. */
  readonly nodes: readonly number[];
}

/** Every checkpoint so far that was posted with receipts, from the contracts' events. */
export async function heldCheckpoints({ provider }: RehearsalChain, file: string): Promise<HeldCheckpoint[]> {
  const { checkpoints } = connect(await readDeployment(CHAIN_ID, file), provider);
  const events = await checkpoints.queryFilter(checkpoints.filters.CheckpointReplicated(), 0);
  return events.map(({ args }) => ({ lease: Number(args.leaseId), nodes: args.nodeIds.map(Number) }));
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
