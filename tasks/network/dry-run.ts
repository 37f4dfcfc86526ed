import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ContractFactory, type InterfaceAbi, type JsonRpcProvider, Transaction } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { type L1Prices, l1Weight } from "@verai/client/l1-fee";
import { openProvider } from "@verai/client/provider";
import { CommandError } from "../errors.ts";
import { type Deploying, runIgnition } from "./ignition.ts";
import { checkDeployed } from "./check-report.ts";
import type { Finding } from "./finding.ts";
import { readParameters } from "./parameters-file.ts";
import { Contract, type Provider } from "ethers";
import { GAS_PRICE_ORACLE } from "../session/l1-fee.ts";

/** What one step of a deployment takes. */
export interface StepCost {
  readonly step: string;
  readonly gas: bigint;
  /** L1 data fee, wei; 0 where its prices are not known. */
  readonly l1Fee: bigint;
  /** ETH that it sends along, wei. */
  readonly value: bigint;
}

/** What a deployment would take and be. */
export interface DryRun {
  readonly steps: readonly StepCost[];
  readonly findings: readonly Finding[];
}

/** Fees of the coordinator mock's constructor, which the trial does not depend on. */
const MOCK_FEES = [10n ** 14n, 10n ** 9n, 4n * 10n ** 15n] as const;

/**
 * Deploys the very module with the very parameters on a chain inside this process, which has the real one's id and
 * transaction gas cap, and checks the result. Chainlink's mock stands in for the coordinator that the file names.
 *
 * @param l1 What the real chain reckons its L1 data fee from; undefined if it has none.
 */
export async function dryRunDeployment(
  hre: HardhatRuntimeEnvironment,
  chainId: number,
  file: string,
  what: Pick<Deploying, "module" | "parameters">,
  l1: L1Prices | undefined,
): Promise<DryRun> {
  const directory = await mkdtemp(join(tmpdir(), "drmp-trial-"));
  const server = await hre.network.createServer({ network: "default", override: { chainId } }, "127.0.0.1");
  try {
    const { port } = await server.listen();
    const url = `http://127.0.0.1:${String(port)}`;
    const provider = await openProvider(url, { chainId, pollingMs: 20 });
    try {
      const { vrfCoordinator } = await readParameters(file);
      if (vrfCoordinator !== undefined) await placeCoordinator(hre, provider, vrfCoordinator);
      const connection = await hre.network.create({
        network: "localhost",
        override: { url, chainId, accounts: "remote" },
      });
      const sent: { step: string; hash: string }[] = [];
      await runIgnition(hre, connection, {
        ...what,
        directory,
        onTransaction: (step, hash) => sent.push({ step, hash }),
      });
      const steps: StepCost[] = [];
      for (const { step, hash } of sent) steps.push({ step, ...(await costOf(provider, hash, l1)) });
      const deployment = join(directory, "deployed_addresses.json");
      const { findings } = await checkDeployed(hre, { rpcUrl: url, chainId, deployment }, file);
      return { steps, findings };
    } finally {
      provider.destroy();
    }
  } finally {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function costOf(
  provider: JsonRpcProvider,
  hash: string,
  l1: L1Prices | undefined,
): Promise<Omit<StepCost, "step">> {
  const [receipt, sent] = await Promise.all([provider.getTransactionReceipt(hash), provider.getTransaction(hash)]);
  if (!receipt || !sent) throw new CommandError("UNEXPECTED", `the trial lost transaction ${hash}`);
  const l1Fee = l1 ? l1Weight(Transaction.from(sent).serialized, l1).fee : 0n;
  return { gas: receipt.gasUsed, l1Fee, value: sent.value };
}

/** Deployed elsewhere first, for its constructor sets immutable values; then its code is moved. */
async function placeCoordinator(
  hre: HardhatRuntimeEnvironment,
  provider: JsonRpcProvider,
  address: string,
): Promise<void> {
  const { abi, bytecode } = await hre.artifacts.readArtifact("VRFCoordinatorV2_5Mock");
  // The last of the chain's accounts, so that the deployer's nonces are as they will be.
  const payer = await provider.getSigner(19);
  const mock = await new ContractFactory(abi as InterfaceAbi, bytecode, payer).deploy(...MOCK_FEES);
  await mock.waitForDeployment();
  await provider.send("hardhat_setCode", [address, await provider.getCode(await mock.getAddress())]);
}

const ORACLE_ABI = ["l1BaseFee", "blobBaseFee", "baseFeeScalar", "blobBaseFeeScalar"].map(
  (name) => `function ${name}() view returns (uint256)`,
);

/** What a chain reckons its L1 data fee from now; undefined where it has no such fee, or its predeploy has no values. */
export async function readL1Prices(provider: Provider): Promise<L1Prices | undefined> {
  if ((await provider.getCode(GAS_PRICE_ORACLE)) === "0x") return undefined;
  const oracle = new Contract(GAS_PRICE_ORACLE, ORACLE_ABI, provider);
  const value = (name: string) => oracle.getFunction(name)() as Promise<bigint>;
  const read = Promise.all([
    value("l1BaseFee"),
    value("blobBaseFee"),
    value("baseFeeScalar"),
    value("blobBaseFeeScalar"),
  ]);
  // A chain that simulates the predeploys without their values reverts here: the fee is then unknown.
  const [baseFee, blobBaseFee, baseFeeScalar, blobBaseFeeScalar] = await read.catch(() => []);
  if (baseFee === undefined || blobBaseFee === undefined) return undefined;
  if (baseFeeScalar === undefined || blobBaseFeeScalar === undefined) return undefined;
  if (baseFee * baseFeeScalar + blobBaseFee * blobBaseFeeScalar === 0n) return undefined;
  return { baseFee, blobBaseFee, baseFeeScalar, blobBaseFeeScalar };
}
