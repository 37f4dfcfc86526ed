import { join } from "node:path";

import type { DeploymentParameters, IgnitionModule } from "@nomicfoundation/ignition-core";
import { isFuture, isModuleParameterRuntimeValue } from "@nomicfoundation/ignition-core";
import { isAddress, ZeroAddress } from "ethers";

import { BASE_SEPOLIA_CHAIN_ID, BASE_CHAIN_ID } from "@verai/client/chains";
import { ChainError } from "@verai/client/errors";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { CommandError } from "../errors.ts";

/** How a chain is deployed to: its Ignition module and its parameters file. */
export interface DeploymentSpec {
  /** Name of the network in hardhat.config.ts, and of the parameters file in ignition/parameters. */
  readonly network: string;
  readonly load: () => Promise<IgnitionModule>;
}

const DEPLOYMENT_SPECS: Readonly<Record<number, DeploymentSpec>> = {
  [LOCAL_CHAIN_ID]: {
    network: "localhost",
    load: async () => (await import("../../ignition/modules/Local.ts")).default,
  },
  [BASE_SEPOLIA_CHAIN_ID]: {
    network: "baseSepolia",
    load: async () => (await import("../../ignition/modules/Sepolia.ts")).default,
  },
  [BASE_CHAIN_ID]: { network: "base", load: async () => (await import("../../ignition/modules/Base.ts")).default },
};

/** The deployment spec of a chain. @throws Error naming the chains that there are. */
export function deploymentSpecOf(chainId: number): DeploymentSpec {
  const found = DEPLOYMENT_SPECS[chainId];
  if (found) return found;
  throw new CommandError(
    "NETWORK_UNUSABLE",
    `There is no way to deploy to chain ${String(chainId)}: name a network of chain ${Object.keys(DEPLOYMENT_SPECS).join(", ")}.`,
  );
}

/** The parameters file that is named, or the chain's own. Relative to the repository. */
export function parametersFile(chainId: number, named: string): string {
  return named === "" ? join("ignition", "parameters", `${deploymentSpecOf(chainId).network}.json`) : named;
}

/** Parameters that hold who or what governs: none of them may be left empty. */
const ADDRESSES = ["governance", "guardian", "arbiter", "treasury", "vrfCoordinator"];

/** The names of the parameters that a module, and those it uses, ask for. O(everything in the module). */
function parametersOf(module: IgnitionModule): Set<string> {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (isModuleParameterRuntimeValue(value)) {
      if (value.defaultValue === undefined) names.add(value.name);
      return;
    }
    // What a future depends on is a future of the module, and looked at there.
    const inner =
      Array.isArray(value) || value instanceof Set ? [...(value as Iterable<unknown>)] : Object.values(value);
    for (const one of inner) if (!isFuture(one)) look(one);
  };
  for (const future of module.futures) look(Object.values(future));
  for (const other of module.submodules) for (const name of parametersOf(other)) names.add(name);
  return names;
}

/** What keeps a module from being deployed with these parameters, in words; empty if nothing does. Pure. */
function parameterProblems(module: IgnitionModule, given: DeploymentParameters): string[] {
  const values: Readonly<Record<string, unknown>> = given[module.id] ?? {};
  const wanted = parametersOf(module);
  const missing = [...wanted].filter((name) => values[name] === undefined).map((name) => `${name} is missing`);
  const strange = Object.keys(values)
    .filter((name) => !wanted.has(name))
    .map((name) => `${name} is none of this network's parameters: is it misspelt?`);
  const wrong = [...wanted].flatMap((name) => {
    const value = values[name];
    if (typeof value === "string" && value.startsWith("REPLACE_ME"))
      return [`${name} still has its place-holder ${value}`];
    if (value === undefined || !ADDRESSES.includes(name)) return [];
    if (!isAddress(value)) return [`${name} is no address: ${JSON.stringify(value)}`];
    return value === ZeroAddress ? [`${name} is the zero address`] : [];
  });
  return [...missing, ...wrong, ...strange];
}

/** @throws {@link ChainError} `PARAMETERS_MISSING` naming the file and every parameter that is not as it has to be. */
export function requireParameters(module: IgnitionModule, given: DeploymentParameters, file: string): void {
  const problems = parameterProblems(module, given);
  if (problems.length === 0) return;
  throw new ChainError(
    "PARAMETERS_MISSING",
    false,
    `The parameters file ${file} cannot be deployed from:\n${problems.map((one) => `  - ${one}`).join("\n")}`,
    { details: { problems } },
  );
}
