import { isAddress } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import type { ContractName } from "@verai/client/abi";
import { CONTRACT_KEYS, type Contracts } from "@verai/client/deployment";
import { isRefusal } from "@verai/client/errors";
import { explain } from "@verai/client/error-messages";
import type { BlockReference } from "@verai/client/block-reference";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { PARAMETERS } from "@verai/client/enums";
import { ROLES } from "../../ignition/modules/core.ts";
import type { DeploymentView } from "./compare.ts";
import { type CompiledCode, isCompiledFrom, type LinkedLibrary, librariesOf } from "./deployed-code.ts";
import type { DeploymentParameters } from "./parameters-file.ts";

/** Reads all that {@link compareDeployment} looks at. */
export async function readDeploymentView(
  hre: HardhatRuntimeEnvironment,
  session: Session,
  at: BlockReference,
  asked: DeploymentParameters,
): Promise<DeploymentView> {
  const { contracts, reader } = session;
  const block = { blockTag: at.number };
  const [params, classes, totals, held, intakePaused, terms, named] = await Promise.all([
    answer(contracts.parameters.all(block)),
    reader.classes(at),
    answer(contracts.vault.totals(block)),
    answer(contracts.token.balanceOf(contracts.vault, block)),
    answer(contracts.parameters.intakePaused(block)),
    answer(contracts.auditEpochs.terms(block)),
    answer(contracts.leases.audits(block)),
  ]);
  return {
    oracle: await oracleView(contracts, at),
    roles: await rolesView(contracts, at, asked),
    governed: new Map(
      params.map(({ value, min, max }, i) => [
        capitalised(PARAMETERS[i] ?? String(i)),
        { value: Number(value), min: Number(min), max: Number(max) },
      ]),
    ),
    classes: classes.map(({ name, tickSize }) => ({ name, tickSize })),
    audits: {
      terms: {
        epoch: Number(terms.epoch),
        openTime: Number(terms.openTime),
        step: Number(terms.step),
        chance: Number(terms.chance),
        newChance: Number(terms.newChance),
        loss: Number(terms.loss),
        panelOwners: Number(terms.panelOwners),
      },
      address: await contracts.audits.getAddress(),
      named,
    },
    uninitialised: await uninitialised(contracts, at),
    otherCode: await otherCode(hre, session, at),
    totals: {
      booked: totals.escrow + totals.stake + totals.claimable + totals.bountyPool,
      held,
      bountyPool: totals.bountyPool,
    },
    intakePaused,
  };
}

async function oracleView({ seeds, coordinator }: Contracts, at: BlockReference): Promise<DeploymentView["oracle"]> {
  const block = { blockTag: at.number };
  const [config, address] = await Promise.all([answer(seeds.config(block)), answer(seeds.s_vrfCoordinator(block))]);
  const found = coordinator?.attach(address) as typeof coordinator;
  const subscription = await found?.getSubscription(config.subscriptionId, block).catch((error: unknown) => {
    const explained = explain(error);
    // Only the coordinator's own word that there is none counts; an endpoint that fails does not.
    if (isRefusal(explained) || explained.code === "REVERTED_WITHOUT_REASON") return undefined;
    throw explained;
  });
  return {
    coordinator: address,
    keyHash: config.keyHash,
    callbackGasLimit: Number(config.callbackGasLimit),
    confirmations: Number(config.confirmations),
    subscriptionId: config.subscriptionId,
    seeds: await seeds.getAddress(),
    subscription: subscription && {
      nativeBalance: subscription.nativeBalance,
      owner: subscription.owner,
      consumers: [...subscription.consumers],
    },
  };
}

async function rolesView(
  { manager, seeds }: Contracts,
  at: BlockReference,
  asked: DeploymentParameters,
): Promise<DeploymentView["roles"]> {
  const block = { blockTag: at.number };
  const seedsOwner = await answer(seeds.owner(block));
  if (!manager) return { held: [], seedsOwner, manager: undefined };
  const holders = [
    ["admin", asked.governance],
    ["parameters", asked.governance],
    ["guardian", asked.guardian],
    ["arbiter", asked.arbiter],
  ] as const;
  const held = await Promise.all(
    holders.map(async ([role, account]) => {
      // A file that names nobody yet: there is nobody to ask about.
      if (!isAddress(account)) return { role, account, holds: false, delay: 0 };
      const { isMember, executionDelay } = await answer(manager.hasRole(ROLES[role], account, block));
      return { role, account, holds: isMember, delay: Number(executionDelay) };
    }),
  );
  return { held, seedsOwner, manager: await manager.getAddress() };
}

/** Modules whose partners have not been named. */
async function uninitialised(contracts: Contracts, at: BlockReference): Promise<string[]> {
  const found: string[] = [];
  for (const [name, contract] of Object.entries(contracts) as [string, Contracts["vault"]][]) {
    if (!contract.interface.hasFunction("isInitialised")) continue;
    if (!(await answer(contract.isInitialised({ blockTag: at.number })))) found.push(name);
  }
  return found;
}

/** Contracts that others compile: the chain's own. */
const FOREIGN: readonly ContractName[] = ["IVrfCoordinator", "VRFCoordinatorV2_5Mock"];

/** Our contracts and their libraries whose code differs from what this version compiles to; see {@link isCompiledFrom}. */
async function otherCode(
  hre: HardhatRuntimeEnvironment,
  { contracts, provider }: Session,
  at: BlockReference,
): Promise<string[]> {
  const waiting: LinkedLibrary[] = [];
  for (const [key, name] of Object.entries(CONTRACT_KEYS)) {
    const contract = contracts[key as keyof Contracts];
    if (contract && !FOREIGN.includes(name)) waiting.push({ name, address: await contract.getAddress() });
  }
  const found: string[] = [];
  const seen = new Set<string>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name, address } = next;
    if (seen.has(`${name} ${address}`)) continue;
    seen.add(`${name} ${address}`);
    const code = await answer(provider.getCode(address, at.number));
    const compiled = (await hre.artifacts.readArtifact(name)) as unknown as CompiledCode;
    if (!isCompiledFrom(code, compiled)) found.push(`${name} (${address})`);
    waiting.push(...librariesOf(code, compiled));
  }
  return found;
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
