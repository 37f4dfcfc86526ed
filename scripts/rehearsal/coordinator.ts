import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ContractFactory, type InterfaceAbi, type Wallet } from "ethers";

import { ROOT } from "@verai/devnet/processes";
import type { RehearsalChain } from "./chain.ts";

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
