import { rm } from "node:fs/promises";
import { join } from "node:path";

import { readDeploymentParameters } from "@nomicfoundation/hardhat-ignition/helpers";
import { formatEther, formatUnits, parseUnits, type Wallet } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { ChainError } from "@verai/client/errors";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openProvider, type RpcProvider } from "@verai/client/provider";
import { CommandError } from "../errors.ts";
import { guarded, type NamedNetwork, namedNetwork, signingKey } from "../session/context.ts";
import { addressLink, transactionLink } from "../session/explorer.ts";
import type { SigningArguments } from "../session/options.ts";
import { Output } from "../session/output.ts";
import { readL1Prices } from "./dry-run.ts";
import { checkDeployed, showReport } from "./check-report.ts";
import { runIgnition } from "./ignition.ts";
import { openJournal } from "./journal.ts";
import { parametersFile, deploymentSpecOf, requireParameters } from "./deployment-spec.ts";
import { type StepCost, dryRunDeployment } from "./dry-run.ts";

interface Arguments extends SigningArguments {
  readonly parameters: string;
  readonly deploymentId: string;
  readonly reset: boolean;
}

/** Deploys the protocol, or goes on with a deployment that broke off. Exit code 1 if the result is not as asked. */
export default async function deployNetwork(args: Arguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await guarded(new Output(args.json), async (output) => {
    const network = await namedNetwork(hre);
    const provider = await openProvider(network.rpcUrl, { chainId: network.chainId });
    try {
      output.result(await deployTo(args, hre, output, network, provider));
    } finally {
      provider.destroy();
    }
  });
}

async function deployTo(
  args: Arguments,
  hre: HardhatRuntimeEnvironment,
  output: Output,
  network: NamedNetwork,
  provider: RpcProvider,
): Promise<object> {
  const { chainId, rpcUrl, name } = network;
  const file = parametersFile(chainId, args.parameters);
  const module = await deploymentSpecOf(chainId).load();
  const parameters = await readDeploymentParameters(file).catch((cause: unknown) => {
    throw new CommandError(
      "FILE_UNUSABLE",
      `The parameters file ${file} cannot be read; name another with --parameters.`,
      { cause },
    );
  });
  requireParameters(module, parameters, file);
  await requireCoordinator(provider, parameters[module.id]?.["vrfCoordinator"], file);
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile: "production" });

  const deploymentId = args.deploymentId === "" ? `chain-${String(chainId)}` : args.deploymentId;
  const directory = join(hre.config.paths.ignition, "deployments", deploymentId);
  const { done, stale } = await openJournal(directory, provider, args.reset, chainId === LOCAL_CHAIN_ID);
  const deployer = await openDeployer(args, hre, network);
  output.say(`trying ${file} on a chain inside this process`);
  const l1 = await readL1Prices(provider);
  const dryRun = await dryRunDeployment(hre, chainId, file, { module, parameters }, l1);
  const left = dryRun.steps.filter(({ step }) => !done.has(step));
  const gasPrice = (await provider.getFeeData()).gasPrice ?? 0n;
  const costs = sum(left, gasPrice);
  const balance = deployer && (await provider.getBalance(deployer.address));
  output.facts([
    ["network", `${name}, chain ${String(chainId)}`],
    ["deployment", `${deploymentId}${done.size > 0 ? `, of which ${String(done.size)} steps are done` : ""}`],
    ["deployer", deployer ? `${deployer.address}, ${formatEther(balance ?? 0n)} ETH` : "no key: dry run"],
    ["transactions", left.length],
    ["gas", `about ${String(costs.gas)} at ${formatUnits(gasPrice, "gwei")} gwei now, ${args.maxFee} gwei at most`],
    ["L1 data fee", l1 && `about ${formatEther(costs.l1Fee)} ETH`],
    ["oracle", costs.value > 0n ? `${formatEther(costs.value)} ETH go into its subscription` : undefined],
    ["costs", `about ${formatEther(costs.total)} ETH`],
  ]);
  output.say();
  const wrong = showReport(output, dryRun.findings);
  const expected = { chainId, deploymentId, parametersFile: file, transactionsLeft: left.length, costs };
  if (args.dryRun) {
    output.say("Dry run: nothing was sent. The checks are of the dry run.");
    if (wrong > 0) process.exitCode = 1;
    return { dryRun: true, ...expected, wrong, findings: dryRun.findings };
  }
  if (wrong > 0)
    throw new ChainError("TRIAL_WRONG", false, "Nothing was sent: the trial's deployment is not as asked.");
  if (!deployer || balance === undefined) throw new CommandError("UNEXPECTED", "there is no deployer");
  if (balance < costs.total) {
    throw new ChainError(
      "INSUFFICIENT_FUNDS",
      false,
      `${deployer.address} has ${formatEther(balance)} ETH where about ${formatEther(costs.total)} are needed: send it more.`,
    );
  }
  if (left.length > 0 && !args.yes && !(await output.confirm(`Deploy to ${name}?`))) {
    throw new ChainError("DECLINED", false, "Nothing was sent.");
  }

  const transactions: string[] = [];
  const connection = await hre.network.create({ network: name, override: { accounts: [deployer.privateKey] } });
  if (stale) await rm(directory, { recursive: true, force: true });
  if (left.length > 0) output.say("Ctrl-C at any time: the same command continues where it stopped.");
  await runIgnition(hre, connection, {
    module,
    parameters,
    directory,
    maxFeePerGas: parseUnits(args.maxFee, "gwei"),
    // A local chain has nothing to wait for; elsewhere Ignition knows how long.
    ...(chainId === LOCAL_CHAIN_ID && { confirmations: 1 }),
    onTransaction: (step, hash) => {
      transactions.push(hash);
      const link = transactionLink(chainId, hash) ?? hash;
      output.say(`${String(transactions.length).padStart(3)} of ${String(left.length)}  ${step}  ${link}`);
    },
  });
  const deployment = join(directory, "deployed_addresses.json");
  const { findings } = await checkDeployed(hre, { rpcUrl, chainId, deployment }, file);
  const spent = (balance ?? 0n) - (await provider.getBalance(deployer.address));
  output.say();
  output.say(
    transactions.length > 0
      ? `Deployed for ${formatEther(spent)} ETH. The addresses are in ${deployment}: commit it, so that others find them.`
      : "It was deployed already: nothing was sent.",
  );
  output.say();
  const stillWrong = showReport(output, findings);
  if (stillWrong > 0) process.exitCode = 1;
  if (addressLink(chainId, deployer.address) !== undefined) {
    output.say(`Publish the sources with: npx hardhat network:verify --network ${name}`);
  }
  return { ...expected, deployment, transactions, spent, wrong: stillWrong, findings };
}

/** Undefined only in a dry run that has no key. */
async function openDeployer(
  args: Arguments,
  hre: HardhatRuntimeEnvironment,
  network: NamedNetwork,
): Promise<Wallet | undefined> {
  try {
    const signer = await openSigner(await signingKey(hre, network, args), network.chainId);
    if (!("privateKey" in signer))
      throw new CommandError("OPTION_INVALID", "Ignition signs with a key of this process; name a keystore.");
    return signer;
  } catch (error) {
    if (args.dryRun && args.keystore === "") return undefined;
    throw error;
  }
}

async function requireCoordinator(provider: RpcProvider, address: unknown, file: string): Promise<void> {
  if (typeof address !== "string" || (await provider.getCode(address)) !== "0x") return;
  throw new ChainError(
    "COORDINATOR_MISSING",
    false,
    `There is no contract at ${address}, where ${file} says that the oracle's coordinator is: is this the right network?`,
  );
}

function sum(steps: readonly StepCost[], gasPrice: bigint) {
  const total = (pick: (step: StepCost) => bigint) => steps.reduce((all, step) => all + pick(step), 0n);
  const [gas, l1Fee, value] = [total((step) => step.gas), total((step) => step.l1Fee), total((step) => step.value)];
  return { gas, gasPrice, l1Fee, value, total: gas * gasPrice + l1Fee + value };
}
