import { existsSync } from "node:fs";
import { join } from "node:path";

import { verifyContract } from "@nomicfoundation/hardhat-verify/verify";
import { getVerificationInformation, type VerifyInfo } from "@nomicfoundation/ignition-core";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { ChainError } from "@verai/client/errors";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openProvider } from "@verai/client/provider";
import { CommandError } from "../errors.ts";
import { guarded, type NamedNetwork, namedNetwork } from "../session/context.ts";
import { addressLink } from "../session/explorer.ts";
import { Output } from "../session/output.ts";

const EXPLORERS = ["etherscan", "blockscout", "sourcify"] as const;
type Explorer = (typeof EXPLORERS)[number];

interface Arguments {
  readonly json: boolean;
  readonly deploymentId: string;
  readonly explorer: string;
  readonly explorerUrl: string;
  readonly contract: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

interface Verified {
  readonly contract: string;
  readonly address: string;
  readonly ok: boolean;
  /** What is wrong, if it is. */
  readonly why?: string;
}

/** Publishes the sources of a deployment. Exit code 1 if one of its contracts could not be verified. */
export default async function verify(args: Arguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await guarded(new Output(args.json), async (output) => {
    const network = await namedNetwork(hre);
    const explorer = givenExplorer(args.explorer, args.explorerUrl);
    if (network.chainId === LOCAL_CHAIN_ID && !args.dryRun) {
      throw new ChainError(
        "NO_EXPLORER",
        false,
        "No explorer knows a local chain: name another network, --network baseSepolia or base.",
      );
    }
    const deploymentId = args.deploymentId === "" ? `chain-${String(network.chainId)}` : args.deploymentId;
    const found = await contractsOf(hre, deploymentId, args.contract, network.name);
    if (!args.dryRun) await requireKey(hre, explorer);
    const there = await deployed(network, found);
    const results: Verified[] = [];
    for (const one of found) {
      const { contract, address } = one;
      const on = addressLink(network.chainId, address) ?? address;
      if (!there.has(address)) results.push({ contract, address, ok: false, why: "the chain has no code there" });
      else if (args.dryRun) results.push({ contract, address, ok: true });
      else results.push({ contract, address, ...(await publish(hre, one, explorer, network.name, args)) });
      const { ok, why } = results.at(-1) ?? { ok: false };
      output.say(`${ok ? (args.dryRun ? "would publish" : "verified     ") : "FAILED       "}  ${contract}  ${on}`);
      if (why !== undefined) output.say(`               ${why}`);
    }
    const failed = results.filter(({ ok }) => !ok).length;
    if (failed > 0) process.exitCode = 1;
    output.say();
    if (args.dryRun) output.say("Dry run: nothing was sent.");
    else output.say(`${String(results.length - failed)} of ${String(results.length)} verified at ${explorer}.`);
    output.result({ ...(args.dryRun && { dryRun: true }), explorer, deploymentId, failed, contracts: results });
  });
}

function givenExplorer(name: string, url: string): Explorer {
  const found = EXPLORERS.find((one) => one === name);
  if (url !== "" && found !== "sourcify") {
    throw new CommandError(
      "OPTION_INVALID",
      `--explorer-url ${url} is the address of a Sourcify: also say --explorer sourcify.`,
    );
  }
  if (found) return found;
  throw new CommandError("OPTION_INVALID", `There is no explorer "${name}"; use one of: ${EXPLORERS.join(", ")}.`);
}

/** What the deployment's journal says that there is to verify; contracts of others, such as the coordinator, are not. */
async function contractsOf(
  hre: HardhatRuntimeEnvironment,
  deploymentId: string,
  only: string,
  network: string,
): Promise<VerifyInfo[]> {
  const directory = join(hre.config.paths.ignition, "deployments", deploymentId);
  if (!existsSync(join(directory, "journal.jsonl"))) {
    throw new ChainError(
      "DEPLOYMENT_MISSING",
      false,
      `There is no deployment "${deploymentId}" in ignition/deployments: deploy with \`npx hardhat network:deploy --network ${network}\`, or name another with --deployment-id.`,
    );
  }
  const all: VerifyInfo[] = [];
  for await (const one of getVerificationInformation(directory)) if (typeof one !== "string") all.push(one);
  const names = all.map(({ contract }) => nameOf(contract));
  const chosen = only === "" ? all : all.filter(({ contract }) => nameOf(contract) === only);
  if (chosen.length > 0) return chosen;
  throw new CommandError("OPTION_INVALID", `The deployment has no contract "${only}"; it has: ${names.join(", ")}.`);
}

function nameOf(contract: string): string {
  return contract.split(":").at(-1) ?? contract;
}

/** Addresses that have code. */
async function deployed({ rpcUrl, chainId }: NamedNetwork, contracts: readonly VerifyInfo[]): Promise<Set<string>> {
  const provider = await openProvider(rpcUrl, { chainId });
  try {
    const found = new Set<string>();
    for (const { address } of contracts) if ((await provider.getCode(address)) !== "0x") found.add(address);
    return found;
  } finally {
    provider.destroy();
  }
}

/** Etherscan wants a key, the others none. */
async function requireKey(hre: HardhatRuntimeEnvironment, explorer: Explorer): Promise<void> {
  if (explorer !== "etherscan") return;
  const key = await hre.config.verify.etherscan.apiKey.get().catch(() => "");
  if (key !== "") return;
  throw new ChainError(
    "API_KEY_MISSING",
    false,
    "Etherscan wants an API key: get one at etherscan.io, and store it with `npx hardhat keystore set ETHERSCAN_API_KEY`. " +
      "--explorer sourcify and blockscout want none.",
  );
}

async function publish(
  hre: HardhatRuntimeEnvironment,
  contract: VerifyInfo,
  provider: Explorer,
  name: string,
  { explorerUrl, force }: Arguments,
): Promise<{ ok: boolean; why?: string }> {
  const { verify: configured } = hre.config;
  const sourcify = explorerUrl === "" ? configured.sourcify : { ...configured.sourcify, apiUrl: explorerUrl };
  // Nothing is signed: the network's key, which opening it would ask for, need not exist.
  const network = Object.create(hre.network, {
    create: { value: () => hre.network.create({ network: name, override: { accounts: "remote" } }) },
  }) as HardhatRuntimeEnvironment["network"];
  const environment = Object.create(hre, {
    config: { value: { ...hre.config, verify: { ...configured, sourcify } } },
    network: { value: network },
  }) as HardhatRuntimeEnvironment;
  try {
    return { ok: await quietly(() => verifyContract({ ...contract, provider, force }, environment)) };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** The plugin writes to standard output, which with `--json` is for the result alone. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
